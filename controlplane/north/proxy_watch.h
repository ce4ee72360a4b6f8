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

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/fleet_service.pb.h"
#include "controlplane/fleet/fleet.h"

namespace portico::north {

// One WatchProxies: what the caller is owed is the newest state of each proxy that changed, however slowly it reads.
//
//   Make, then Begin or Refuse; lives until gRPC is done with it.
class ProxyWatch final : public grpc::ServerWriteReactor<portico::v1::ListProxiesResponse> {
 public:
  static constexpr size_t kBytesMax = 1 << 20;  // of one message, unless a single proxy is larger

  // `gateways`: only theirs; empty: all. `ended` is called when gRPC is done with it.
  static std::shared_ptr<ProxyWatch> Make(std::set<std::string> gateways,
                                          std::function<void(const std::shared_ptr<ProxyWatch>&)> ended);

  void Begin(fleet::Fleet& fleet);
  // The last that is done with it; again is nothing.
  void Refuse(const grpc::Status& status);

 private:
  ProxyWatch(std::set<std::string> gateways, std::function<void(const std::shared_ptr<ProxyWatch>&)> ended)
      : gateways_(std::move(gateways)), ended_(std::move(ended)) {}

  void OnNotice(const fleet::Notice& notice);
  void OnWriteDone(bool ok) override;
  void OnCancel() override { Refuse(grpc::Status::CANCELLED); }
  void OnDone() override;

  bool Sees(const std::string& gateway) const { return gateways_.empty() || gateways_.count(gateway) > 0; }
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::set<std::string> gateways_;
  const std::function<void(const std::shared_ptr<ProxyWatch>&)> ended_;
  std::shared_ptr<ProxyWatch> self_;  // gRPC's hold on it
  std::unique_ptr<fleet::Fleet::Following> following_;
  absl::Mutex mutex_;
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
