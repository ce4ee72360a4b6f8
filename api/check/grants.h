#ifndef PORTICO_API_CHECK_GRANTS_H_
#define PORTICO_API_CHECK_GRANTS_H_

#include <optional>

#include "api/check/configuration.h"

namespace portico::check {

// The ReferenceGrant of `to`'s namespace that lets `from` refer to it, the first by name; nullopt: there is none.
// Within a namespace nobody needs one.
std::optional<ResourceKey> FindGrant(const Configuration& configuration, const ResourceKey& from,
                                     const ResourceKey& to);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_GRANTS_H_
