#ifndef PORTICO_CONTROLPLANE_NORTH_FLEET_SERVICE_H_
#define PORTICO_CONTROLPLANE_NORTH_FLEET_SERVICE_H_

#include <cstddef>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/fleet_service.grpc.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/places.h"

namespace portico::north {

class ProxyWatch;

// portico.v1.FleetService over a fleet, for those whom the gatekeeper lets in: they see the proxies of gateways in
// namespaces that they may read. Outlives the server that it is registered with; End() comes before the server's
// Shutdown, so that no watch holds it up.
class FleetService final : public portico::v1::FleetService::CallbackService {
 public:
  static constexpr size_t kWatchesMax = 1000;       // each may hold the newest state of every proxy
  static constexpr size_t kListBytesMax = 3 << 20;  // of the one answer: gRPC clients take 4 MiB

  // One caller may have a quarter of the watches. Both must outlive it.
  FleetService(fleet::Fleet& fleet, const Gatekeeper& gatekeeper, size_t watches_max = kWatchesMax)
      : fleet_(fleet), gatekeeper_(gatekeeper), watch_places_(watches_max, "watches") {}

  // Roles or Tokens have changed: watches end unless their callers may read what they could.
  void JudgeAgain();

  // Watches end with UNAVAILABLE, and new ones are refused. Again is nothing.
  void End();

 private:
  using Context = grpc::CallbackServerContext;

  grpc::ServerUnaryReactor* ListProxies(Context* context, const portico::v1::ListProxiesRequest* request,
                                        portico::v1::ListProxiesResponse* response) override;
  grpc::ServerWriteReactor<portico::v1::ListProxiesResponse>* WatchProxies(
      Context* context, const portico::v1::ListProxiesRequest* request) override;

  fleet::Fleet& fleet_;
  const Gatekeeper& gatekeeper_;
  Places watch_places_;
  absl::Mutex mutex_;
  std::set<std::shared_ptr<ProxyWatch>> watches_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_FLEET_SERVICE_H_
