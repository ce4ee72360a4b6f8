#ifndef PORTICO_TOOLS_CTL_API_CLIENT_H_
#define PORTICO_TOOLS_CTL_API_CLIENT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "api/portico/v1/config_service.pb.h"
#include "api/portico/v1/fleet_service.pb.h"

namespace portico::ctl {

// Where a control plane is, and who asks.
struct ApiOptions {
  // PEM. Without a certificate and its key the token says who asks.
  struct Tls {
    std::string certificate;
    std::string key;
    std::string authorities;  // who signs control planes
  };

  std::string address;     // "127.0.0.1:9900"
  std::optional<Tls> tls;  // nullopt: in clear
  int64_t timeout_ms = 0;  // of each call, connecting included
  std::string token = {};  // a bearer token; empty: none
};

// What the control plane says is wrong with a field.
struct ApiViolation {
  std::string resource;  // "Route default/shop"
  std::string path;      // "spec.rules[0]"; empty: the resource as a whole
  std::string message;
};

// What a call came to. The status' words are for people: kUnavailable is "control plane unreachable at …".
template <typename Response>
struct Answer {
  absl::Status status = {};
  std::vector<ApiViolation> violations = {};  // only of a call that failed
  Response response = {};

  bool ok() const { return status.ok(); }
};

// The API as the commands see it: grpc_client.h has the real one, tests have a fake. Calls block.
class ApiClient {
 public:
  virtual ~ApiClient() = default;

  // `requests` are the pieces of one change, at least one.
  virtual Answer<portico::v1::ApplyResponse> Apply(const std::vector<portico::v1::ApplyRequest>& requests) = 0;
  virtual Answer<portico::v1::ApplyResponse> Delete(const portico::v1::DeleteRequest& request) = 0;
  virtual Answer<portico::v1::ApplyResponse> Rollback(const portico::v1::RollbackRequest& request) = 0;
  virtual Answer<portico::v1::GetResponse> Get(const portico::v1::GetRequest& request) = 0;
  // All messages as one.
  virtual Answer<portico::v1::ListResponse> List(const portico::v1::ListRequest& request) = 0;
  virtual Answer<portico::v1::HistoryResponse> History(const portico::v1::HistoryRequest& request) = 0;
  virtual Answer<portico::v1::ListProxiesResponse> ListProxies(const portico::v1::ListProxiesRequest& request) = 0;

  // Message by message until `next` says false, which is good, or the server ends. kDeadlineExceeded: the time was
  // over.
  virtual absl::Status WatchProxies(const portico::v1::ListProxiesRequest& request,
                                    const std::function<bool(const portico::v1::ListProxiesResponse&)>& next) = 0;
  // Likewise, but the time is for connecting alone. kUnavailable: no connection, or it broke; watch again.
  virtual absl::Status Watch(const portico::v1::WatchRequest& request,
                             const std::function<bool(const portico::v1::WatchResponse&)>& next) = 0;
};

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_API_CLIENT_H_
