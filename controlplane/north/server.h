#ifndef PORTICO_CONTROLPLANE_NORTH_SERVER_H_
#define PORTICO_CONTROLPLANE_NORTH_SERVER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/check/key_pair.h"
#include "controlplane/north/server_certificates.h"

namespace grpc {
class Server;
class ServerCredentials;
class Service;
}  // namespace grpc

namespace portico::north {

// A gRPC server on one address, within bounds, with health (grpc.health.v1) and reflection beside its services.
//
//   ASSIGN server = Server::Start({"--api_address", "127.0.0.1:9900", tls}, key_pairs, log, {&config_service});
//   server->address();  // with the port that it has
//   config_service.End();
//   server->Stop();
class Server {
 public:
  using Log = std::function<void(std::string_view line)>;

  struct Options {
    std::string flag;             // what names the address, for errors
    std::string address;          // IP:PORT; port 0: a free one
    std::optional<TlsFiles> tls;  // nullopt: in clear, for loopback
    // Whether a bearer token lets a client in that has no certificate (server_credentials.h): for the API, where a
    // certificate that names a gateway is refused. Empty: for proxies, who must have certificates.
    std::function<absl::Status(std::string_view authorization)> admits = {};
  };

  // Serves when it returns. kFailedPrecondition: the address is taken (also by a process that would share it) or is not
  // this machine's; or a TLS file is no good. Each names its flag. `services` and `key_pairs` must outlive the server;
  // `log` is called on threads of gRPC's.
  static absl::StatusOr<std::unique_ptr<Server>> Start(const Options& options, const check::KeyPairChecker& key_pairs,
                                                       Log log, const std::vector<grpc::Service*>& services);
  ~Server();

  // Takes no new connection, waits until clients have what they are owed and have left, at most
  // kStopTimeoutMs, and cancels what remains.
  void Stop();

  const std::string& address() const { return address_; }

  static constexpr int kStopTimeoutMs = 1500;  // a call answers in milliseconds, if its client reads

 private:
  Server();

  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Credentials(const Options& options,
                                                                       const check::KeyPairChecker& key_pairs, Log log);

  std::unique_ptr<ServerCertificates> certificates_;
  std::shared_ptr<grpc::ServerCredentials> credentials_;  // gRPC asks it as long as it serves
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_SERVER_H_
