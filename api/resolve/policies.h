#ifndef PORTICO_API_RESOLVE_POLICIES_H_
#define PORTICO_API_RESOLVE_POLICIES_H_

#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// The AuthPolicies of a configuration by what they target, and the choice of what holds for a rule: of authentication
// and authorization each the nearest (rule, Route, listener, Gateway). What can't be bound is a notice, as are two
// policies that say the same half of one target (the older holds, then namespace and name).
class Policies {
 public:
  Policies(const check::Configuration& configuration, Grants& grants, std::vector<Notice>& notices);

  // `rule_name` may be empty: nothing targets such a rule alone.
  EffectiveAuth Effective(const check::ResourceKey& gateway, std::string_view listener, const check::ResourceKey& route,
                          std::string_view rule_name) const;

 private:
  using Target = std::pair<check::ResourceKey, std::string>;  // resource, section or ""

  void Add(const check::ResourceKey& key, const SharedResource& resource);
  void Bind(const check::ResourceKey& key, const SharedResource& resource, const Target& target,
            const std::string& path);
  void BindHalf(std::map<Target, BoundPolicy>& half, std::string_view name, const Target& target,
                const BoundPolicy& policy, const std::string& path);

  const check::Configuration& configuration_;
  Grants& grants_;
  std::vector<Notice>& notices_;
  std::map<Target, BoundPolicy> authentication_;
  std::map<Target, BoundPolicy> authorization_;
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_POLICIES_H_
