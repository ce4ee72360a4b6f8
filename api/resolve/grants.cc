#include "api/resolve/grants.h"

#include <optional>

#include "api/check/grants.h"

namespace portico::resolve {

bool Grants::Permit(const check::ResourceKey& from, const check::ResourceKey& to,
                    std::set<check::ResourceKey>* used) const {
  if (from.name_space == to.name_space) return true;
  const std::optional<check::ResourceKey> grant = check::FindGrant(configuration_, from, to);
  if (grant && used != nullptr) used->insert(*grant);
  return grant.has_value();
}

}  // namespace portico::resolve
