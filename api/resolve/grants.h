#ifndef PORTICO_API_RESOLVE_GRANTS_H_
#define PORTICO_API_RESOLVE_GRANTS_H_

#include <map>
#include <set>
#include <string>
#include <vector>

#include "api/check/configuration.h"

namespace portico::resolve {

// The ReferenceGrants of a configuration: who may refer across namespaces. It remembers which grants were needed, since
// they are part of what a gateway reaches. The configuration must outlive it.
class Grants {
 public:
  explicit Grants(const check::Configuration& configuration);

  // Whether `from` may refer to `to`: always within a namespace, else if a grant there says so.
  bool Permit(const check::ResourceKey& from, const check::ResourceKey& to);

  const std::set<check::ResourceKey>& used() const { return used_; }

 private:
  struct Grant {
    check::ResourceKey key;
    const portico::v1::ReferenceGrantSpec* spec;
  };
  std::map<std::string, std::vector<Grant>> by_name_space_;
  std::set<check::ResourceKey> used_;
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_GRANTS_H_
