#include "controlplane/north/fleet_service.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/north/caller.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/proxy_watch.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;

constexpr size_t kProxyFrameBytes = 6;  // its tag and length in the answer

absl::StatusOr<std::set<std::string>> GatewaysOf(const portico::v1::ListProxiesRequest& request) {
  std::set<std::string> gateways;
  for (const std::string& gateway : request.gateways()) {
    if (!wire::KeyOf(wire::TypeUrl("Gateway"), gateway).has_value()) {
      return absl::InvalidArgumentError(
          ToAbsl(Concat("gateways: `", gateway, "` is not NAMESPACE/NAME, as in default/edge")));
    }
    gateways.insert(gateway);
  }
  return gateways;
}

}  // namespace

grpc::ServerUnaryReactor* FleetService::ListProxies(Context* context, const portico::v1::ListProxiesRequest* request,
                                                    portico::v1::ListProxiesResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<std::set<std::string>> gateways = GatewaysOf(*request);
  if (!gateways.ok()) {
    reactor->Finish(ToGrpc(gateways.status()));
    return reactor;
  }
  const fleet::Fleet::Listing listing = fleet_.List();
  response->set_revision(listing.revision);
  bool fits = true;
  size_t bytes = 0;
  for (const fleet::SharedProxy& proxy : listing.proxies) {
    if (!gateways->empty() && gateways->count(proxy->gateway()) == 0) continue;
    bytes += proxy->ByteSizeLong() + kProxyFrameBytes;
    fits = bytes <= kListBytesMax;
    if (!fits) break;  // before a fleet is copied that may not be sent
    *response->add_proxies() = *proxy;
  }
  reactor->Finish(fits ? grpc::Status::OK
                       : ToGrpc(absl::ResourceExhaustedError(
                             "too many proxies for one answer: name gateways, or use WatchProxies")));
  return reactor;
}

grpc::ServerWriteReactor<portico::v1::ListProxiesResponse>* FleetService::WatchProxies(
    Context* context, const portico::v1::ListProxiesRequest* request) {
  absl::StatusOr<std::set<std::string>> gateways = GatewaysOf(*request);
  const absl::Status judged = gateways.status();
  const std::shared_ptr<const Places::Place> place = watch_places_.Take(HolderOf(*context));
  const std::shared_ptr<ProxyWatch> watch =
      ProxyWatch::Make(gateways.ok() ? *std::move(gateways) : std::set<std::string>(),
                       [this, place](const std::shared_ptr<ProxyWatch>& ended) {
                         absl::MutexLock lock(&mutex_);
                         watches_.erase(ended);
                       });
  if (!judged.ok() || place == nullptr) {
    watch->Refuse(ToGrpc(judged.ok() ? watch_places_.Refusal() : judged));
    return watch.get();
  }
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) {
      watch->Refuse(ToGrpc(absl::UnavailableError("the control plane ends; watch again")));
      return watch.get();
    }
    watches_.insert(watch);
  }
  watch->Begin(fleet_);
  return watch.get();
}

void FleetService::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  for (const std::shared_ptr<ProxyWatch>& watch : watches_)
    watch->Refuse(ToGrpc(absl::UnavailableError("the control plane ends; watch again")));
}

}  // namespace portico::north
