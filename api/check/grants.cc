#include "api/check/grants.h"

#include <algorithm>
#include <string_view>

namespace portico::check {
namespace {

// Grants written for Gateway API call our Routes HTTPRoutes.
bool SameKind(std::string_view granted, std::string_view kind) {
  return granted == kind || (granted == "HTTPRoute" && kind == "Route");
}

bool Says(const portico::v1::ReferenceGrantSpec& spec, const ResourceKey& from, const ResourceKey& to) {
  const auto from_fits = [&from](const portico::v1::ReferenceGrantFrom& item) {
    return SameKind(item.kind(), from.kind) && item.namespace_() == from.name_space;
  };
  const auto to_fits = [&to](const portico::v1::ReferenceGrantTo& item) {
    return SameKind(item.kind(), to.kind) && (item.name().empty() || item.name() == to.name);
  };
  return std::any_of(spec.from().begin(), spec.from().end(), from_fits) &&
         std::any_of(spec.to().begin(), spec.to().end(), to_fits);
}

}  // namespace

std::optional<ResourceKey> FindGrant(const Configuration& configuration, const ResourceKey& from,
                                     const ResourceKey& to) {
  const Configuration::Map& resources = configuration.resources();
  const ResourceKey first{"ReferenceGrant", to.name_space, ""};
  for (auto place = resources.lower_bound(first); place != resources.end(); ++place) {
    const auto& [key, resource] = *place;
    if (key.kind != first.kind || key.name_space != first.name_space) break;
    if (Says(resource->reference_grant().spec(), from, to)) return key;
  }
  return std::nullopt;
}

}  // namespace portico::check
