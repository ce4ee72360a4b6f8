#include "api/resolve/grants.h"

#include <algorithm>
#include <string_view>

namespace portico::resolve {
namespace {

// Grants written for Gateway API call our Routes HTTPRoutes.
bool SameKind(std::string_view granted, std::string_view kind) {
  return granted == kind || (granted == "HTTPRoute" && kind == "Route");
}

bool Says(const v1::ReferenceGrantSpec& spec, const check::ResourceKey& from, const check::ResourceKey& to) {
  const auto from_fits = [&from](const v1::ReferenceGrantFrom& item) {
    return SameKind(item.kind(), from.kind) && item.namespace_() == from.name_space;
  };
  const auto to_fits = [&to](const v1::ReferenceGrantTo& item) {
    return SameKind(item.kind(), to.kind) && (item.name().empty() || item.name() == to.name);
  };
  return std::any_of(spec.from().begin(), spec.from().end(), from_fits) &&
         std::any_of(spec.to().begin(), spec.to().end(), to_fits);
}

}  // namespace

Grants::Grants(const check::Configuration& configuration) {
  for (const auto& [key, resource] : configuration.resources()) {
    if (!resource->has_reference_grant()) continue;
    by_name_space_[key.name_space].push_back({key, &resource->reference_grant().spec()});
  }
}

bool Grants::Permit(const check::ResourceKey& from, const check::ResourceKey& to) {
  if (from.name_space == to.name_space) return true;
  const auto found = by_name_space_.find(to.name_space);
  if (found == by_name_space_.end()) return false;
  for (const Grant& grant : found->second) {
    if (!Says(*grant.spec, from, to)) continue;
    used_.insert(grant.key);
    return true;
  }
  return false;
}

}  // namespace portico::resolve
