#include "controlplane/model/model.h"

#include <utility>

#include "absl/status/statusor.h"
#include "api/base/check.h"
#include "api/base/text.h"
#include "api/resolve/resolve.h"

namespace portico::model {

void ResolveGateways(const Model* before, Model& model) {
  std::map<check::ResourceKey, std::shared_ptr<const resolve::ResolvedGateway>> gateways;
  model.configuration.ForEach("Gateway", [&](const check::ResourceKey& key, const auto&) {
    const resolve::ResolvedGateway* old = nullptr;
    if (before != nullptr) {
      const auto found = before->gateways.find(key);
      if (found != before->gateways.end()) old = found->second.get();
    }
    absl::StatusOr<resolve::ResolvedGateway> resolved = resolve::Resolve(model.configuration, key, old);
    PORTICO_CHECK(resolved.ok(), "the gateway is there");
    gateways[key] = std::make_shared<const resolve::ResolvedGateway>(*std::move(resolved));
  });
  model.gateways = std::move(gateways);
}

std::string VersionOf(const Model& model, const portico::v1::Resource& resource) {
  return base::Concat(model.epoch, ".", check::MetadataOf(resource).revision());
}

}  // namespace portico::model
