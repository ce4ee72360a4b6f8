#include "controlplane/north/server.h"

#include <grpc/support/time.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/health_check_service_interface.h>

#include <utility>

#include "api/base/text.h"
#include "controlplane/listen/bind.h"
#include "controlplane/north/server_credentials.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;
using base::ToStd;

// A larger change comes in pieces: the limit that gRPC's clients have too.
constexpr int kMessageBytesMax = 4 << 20;
// Of one connection: a client of ours has a watch and a call or two open.
constexpr int kStreamsMax = 100;
// What gRPC may hold of all clients' bytes that no call has taken yet.
constexpr size_t kBuffersBytesMax = 256 << 20;
// A client that has gone without a word is noticed, and its watch ended, after the two together.
constexpr int kKeepaliveTimeMs = 60'000;
constexpr int kKeepaliveTimeoutMs = 20'000;
// Clients may ask as often whether we are still there; whoever asks more is disconnected (CVE-2019-9512).
constexpr int kPingIntervalMinMs = 10'000;

void SetBounds(grpc::ServerBuilder& builder) {
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.SetResourceQuota(grpc::ResourceQuota("server").Resize(kBuffersBytesMax));
  for (const auto& [name, value] : {
           std::pair{GRPC_ARG_ALLOW_REUSEPORT, 0},
           std::pair{GRPC_ARG_MAX_CONCURRENT_STREAMS, kStreamsMax},
           std::pair{GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveTimeMs},
           std::pair{GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveTimeoutMs},
           std::pair{GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1},
           std::pair{GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingIntervalMinMs},
       }) {
    builder.AddChannelArgument(name, value);
  }
}

}  // namespace

Server::Server() = default;

Server::~Server() {
  Stop();
}

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> Server::Credentials(const Options& options,
                                                                             const check::KeyPairChecker& key_pairs,
                                                                             Log log) {
  if (!options.tls) return grpc::InsecureServerCredentials();
  certificates_ = std::make_unique<ServerCertificates>(*options.tls, key_pairs);
  if (const auto first = certificates_->Read(); !first.ok()) {
    return absl::FailedPreconditionError(first.status().message());
  }
  return MakeServerCredentials(
      *certificates_, options.admits,
      [log = std::move(log), flag = options.flag](std::string_view line) { log(Concat(flag, ": ", line)); });
}

absl::StatusOr<std::unique_ptr<Server>> Server::Start(const Options& options, const check::KeyPairChecker& key_pairs,
                                                      Log log, const std::vector<grpc::Service*>& services) {
  // gRPC does not say why it could not have an address. Whoever takes it in between is noticed below.
  if (const auto probe = listen::Bind(options.flag, options.address); !probe.ok()) return probe.status();
  std::unique_ptr<Server> server(new Server());
  absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> credentials =
      server->Credentials(options, key_pairs, std::move(log));
  if (!credentials.ok()) return credentials.status();
  server->credentials_ = *std::move(credentials);

  grpc::EnableDefaultHealthCheckService(true);
  grpc::ServerBuilder builder;
  SetBounds(builder);
  int port = 0;
  builder.AddListeningPort(options.address, server->credentials_, &port);
  for (grpc::Service* service : services)
    builder.RegisterService(service);
  server->server_ = builder.BuildAndStart();
  if (server->server_ == nullptr || port == 0) {
    return absl::FailedPreconditionError(ToAbsl(Concat(options.flag, "=", options.address, ": cannot be served")));
  }
  server->address_ = listen::WithPort(options.address, port);
  return server;
}

void Server::Stop() {
  if (server_ == nullptr) return;
  server_->GetHealthCheckService()->Shutdown();
  server_->Shutdown(gpr_time_from_millis(kStopTimeoutMs, GPR_TIMESPAN));
  server_.reset();
}

}  // namespace portico::north
