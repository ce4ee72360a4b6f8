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

bool Grants::Permit(const check::ResourceKey& from, const check::ResourceKey& to,
                    std::set<check::ResourceKey>* used) const {
  if (from.name_space == to.name_space) return true;
  bool permitted = false;
  configuration_.ForEach("ReferenceGrant", to.name_space, [&](const check::ResourceKey& key, const auto& resource) {
    if (permitted || !Says(resource->reference_grant().spec(), from, to)) return;
    permitted = true;
    if (used != nullptr) used->insert(key);
  });
  return permitted;
}

}  // namespace portico::resolve
