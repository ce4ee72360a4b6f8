#include "controlplane/north/fleet_service.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/access/judge.h"
#include "controlplane/north/errors.h"
#include "controlplane/north/proxy_watch.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;

constexpr size_t kProxyFrameBytes = 6;  // its tag and length in the answer

// What a caller asks for, if it may.
absl::StatusOr<std::set<std::string>> GatewaysOf(const portico::v1::ListProxiesRequest& request,
                                                 const access::Rights& rights) {
  std::set<std::string> gateways;
  if (request.gateways().empty()) {
    if (absl::Status may = access::JudgeRead(rights, ""); !may.ok()) return may;
  }
  for (const std::string& gateway : request.gateways()) {
    const std::optional<check::ResourceKey> key = wire::KeyOf(wire::TypeUrl("Gateway"), gateway);
    if (!key.has_value()) {
      return absl::InvalidArgumentError(
          ToAbsl(Concat("gateways: `", gateway, "` is not NAMESPACE/NAME, as in default/edge")));
    }
    if (absl::Status may = access::JudgeRead(rights, key->name_space); !may.ok()) return may;
    gateways.insert(gateway);
  }
  return gateways;
}

}  // namespace

grpc::ServerUnaryReactor* FleetService::ListProxies(Context* context, const portico::v1::ListProxiesRequest* request,
                                                    portico::v1::ListProxiesResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<Caller> caller = gatekeeper_.CallerOf(*context);
  const absl::StatusOr<std::set<std::string>> gateways =
      caller.ok() ? GatewaysOf(*request, caller->rights) : caller.status();
  if (!gateways.ok()) {
    reactor->Finish(ToGrpc(gateways.status()));
    return reactor;
  }
  const ProxyScope scope{*gateways, caller->rights.Reads()};
  const fleet::Fleet::Listing listing = fleet_.List();
  response->set_revision(listing.revision);
  bool fits = true;
  size_t bytes = 0;
  for (const fleet::SharedProxy& proxy : listing.proxies) {
    if (!scope.Has(proxy->gateway())) continue;
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
  const absl::StatusOr<Caller> caller = gatekeeper_.CallerOf(*context);
  absl::StatusOr<std::set<std::string>> gateways = caller.ok() ? GatewaysOf(*request, caller->rights) : caller.status();
  const absl::Status judged = gateways.status();
  const std::shared_ptr<const Places::Place> place = judged.ok() ? watch_places_.Take(caller->holder()) : nullptr;
  const std::shared_ptr<ProxyWatch> watch =
      ProxyWatch::Make(gatekeeper_, [this, place](const std::shared_ptr<ProxyWatch>& ended) {
        absl::MutexLock lock(&mutex_);
        watches_.erase(ended);
      });
  if (place == nullptr) {
    watch->Refuse(ToGrpc(judged.ok() ? watch_places_.Refusal() : judged));
    return watch.get();
  }
  watch->Admit(*caller, *std::move(gateways));
  {
    absl::MutexLock lock(&mutex_);
    if (ended_) {
      watch->Refuse(ToGrpc(absl::UnavailableError("the control plane ends; watch again")));
      return watch.get();
    }
    watches_.insert(watch);
  }
  watch->Begin(fleet_);
  watch->JudgeAgain();  // since it was let in
  return watch.get();
}

void FleetService::JudgeAgain() {
  absl::MutexLock lock(&mutex_);
  for (const std::shared_ptr<ProxyWatch>& watch : watches_)
    watch->JudgeAgain();
}

void FleetService::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  for (const std::shared_ptr<ProxyWatch>& watch : watches_)
    watch->Refuse(ToGrpc(absl::UnavailableError("the control plane ends; watch again")));
}

}  // namespace portico::north
