#include "controlplane/north/fleet_service.h"

#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/proxy_watch.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;

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
  for (const fleet::SharedProxy& proxy : listing.proxies) {
    if (gateways->empty() || gateways->count(proxy->gateway()) > 0) *response->add_proxies() = *proxy;
  }
  const bool fits = response->ByteSizeLong() <= kListBytesMax;
  reactor->Finish(fits ? grpc::Status::OK
                       : ToGrpc(absl::ResourceExhaustedError(
                             "too many proxies for one answer: name gateways, or use WatchProxies")));
  return reactor;
}

grpc::ServerWriteReactor<portico::v1::ListProxiesResponse>* FleetService::WatchProxies(
    Context*, const portico::v1::ListProxiesRequest* request) {
  absl::StatusOr<std::set<std::string>> gateways = GatewaysOf(*request);
  const absl::Status judged = gateways.status();
  const std::shared_ptr<ProxyWatch> watch = ProxyWatch::Make(
      gateways.ok() ? *std::move(gateways) : std::set<std::string>(), [this](const std::shared_ptr<ProxyWatch>& ended) {
        absl::MutexLock lock(&mutex_);
        watches_.erase(ended);
      });
  if (!judged.ok()) {
    watch->Refuse(ToGrpc(judged));
    return watch.get();
  }
  {
    absl::MutexLock lock(&mutex_);
    if (ended_ || watches_.size() == kWatchesMax) {
      watch->Refuse(ToGrpc(ended_ ? absl::UnavailableError("the control plane ends; watch again")
                                  : absl::ResourceExhaustedError(ToAbsl(Concat("at most ", kWatchesMax, " watches")))));
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
