#ifndef PORTICO_CONTROLPLANE_NORTH_PROXY_WATCH_H_
#define PORTICO_CONTROLPLANE_NORTH_PROXY_WATCH_H_

#include <grpcpp/support/server_callback.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/fleet_service.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/gatekeeper.h"

namespace portico::north {

// Which proxies somebody sees.
struct ProxyScope {
  std::set<std::string> gateways;  // that were asked for; empty: all
  access::Scope readable;

  // "NAMESPACE/NAME".
  bool Has(const std::string& gateway) const {
    return readable.Has(std::string_view(gateway).substr(0, gateway.find('/'))) &&
           (gateways.empty() || gateways.contains(gateway));
  }
};

// One WatchProxies: what the caller is owed is the newest state of each proxy that changed, however slowly it reads.
// Nothing is told after its token has expired.
//
//   Make, then Admit and Begin, or Refuse; lives until gRPC is done with it.
class ProxyWatch final : public grpc::ServerWriteReactor<portico::v1::ListProxiesResponse> {
 public:
  static constexpr size_t kBytesMax = 1 << 20;  // of one message, unless a single proxy is larger

  // `ended` is called when gRPC is done with it.
  static std::shared_ptr<ProxyWatch> Make(const Gatekeeper& gatekeeper,
                                          std::function<void(const std::shared_ptr<ProxyWatch>&)> ended);

  // Whose it is, before anything else. `gateways`: only theirs; empty: all.
  void Admit(const Caller& caller, std::set<std::string> gateways);
  void Begin(fleet::Fleet& fleet);
  // Roles or Tokens have changed: it ends unless its caller may read what it could.
  void JudgeAgain();
  // The last that is done with it; again is nothing.
  void Refuse(const grpc::Status& status);

 private:
  ProxyWatch(const Gatekeeper& gatekeeper, std::function<void(const std::shared_ptr<ProxyWatch>&)> ended)
      : gatekeeper_(gatekeeper), ended_(std::move(ended)) {}

  void OnNotice(const fleet::Notice& notice);
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Refuse(grpc::Status::CANCELLED); }
  void OnDone() override;

  // Ends it if the token has expired.
  bool EndIfExpired();
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const Gatekeeper& gatekeeper_;
  const std::function<void(const std::shared_ptr<ProxyWatch>&)> ended_;
  std::shared_ptr<ProxyWatch> self_;  // gRPC's hold on it
  std::unique_ptr<fleet::Fleet::Following> following_;
  absl::Mutex mutex_;
  access::Credentials credentials_ ABSL_GUARDED_BY(mutex_);
  int64_t expires_micros_ ABSL_GUARDED_BY(mutex_) = 0;
  ProxyScope scope_ ABSL_GUARDED_BY(mutex_);
  std::map<fleet::Key, fleet::SharedProxy> owed_ ABSL_GUARDED_BY(mutex_);  // nullptr: it is not remembered any more
  uint64_t revision_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t told_ ABSL_GUARDED_BY(mutex_) = 0;  // the revision as of which it was told everything
  bool first_ ABSL_GUARDED_BY(mutex_) = true;  // even nothing is said once
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  portico::v1::ListProxiesResponse response_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_PROXY_WATCH_H_
