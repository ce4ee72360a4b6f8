#ifndef PORTICO_API_RESOLVE_GRANTS_H_
#define PORTICO_API_RESOLVE_GRANTS_H_

#include <set>

#include "api/check/configuration.h"

namespace portico::resolve {

// The ReferenceGrants of a configuration: who may refer across namespaces. The configuration must outlive it.
class Grants {
 public:
  explicit Grants(const check::Configuration& configuration) : configuration_(configuration) {}

  // Whether `from` may refer to `to`: always within a namespace, else if a grant there says so. The grant is added to
  // `used`, if that is asked for: it is part of what a gateway reaches.
  bool Permit(const check::ResourceKey& from, const check::ResourceKey& to,
              std::set<check::ResourceKey>* used = nullptr) const;

 private:
  const check::Configuration& configuration_;
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_GRANTS_H_
