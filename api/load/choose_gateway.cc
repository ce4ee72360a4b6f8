#include "api/load/choose_gateway.h"

#include <string>
#include <vector>

#include "api/base/text.h"

namespace portico::load {
namespace {

using check::ResourceKey;

template <typename... Pieces>
absl::Status Refuse(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

}  // namespace

ResourceKey ParseGatewayName(std::string_view name) {
  const size_t slash = name.find('/');
  if (slash == std::string_view::npos) return {"Gateway", std::string(check::kDefaultNamespace), std::string(name)};
  return {"Gateway", std::string(name.substr(0, slash)), std::string(name.substr(slash + 1))};
}

absl::StatusOr<ResourceKey> ChooseGateway(const check::Configuration& configuration,
                                          const std::optional<ResourceKey>& asked) {
  std::vector<ResourceKey> gateways;
  std::vector<std::string> names;
  for (const auto& [key, resource] : configuration.resources()) {
    if (!resource->has_gateway()) continue;
    if (asked == key) return key;
    gateways.push_back(key);
    names.push_back(base::Concat(key.name_space, "/", key.name));
  }
  if (gateways.empty()) return Refuse("the configuration has no Gateway");
  if (asked) return Refuse("there is no ", asked->ToString(), "; there are: ", base::Join(names, ", "));
  if (gateways.size() == 1) return gateways[0];
  return Refuse("there are several Gateways, choose one by --gateway: ", base::Join(names, ", "));
}

}  // namespace portico::load
