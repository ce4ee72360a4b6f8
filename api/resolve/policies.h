#ifndef PORTICO_API_RESOLVE_POLICIES_H_
#define PORTICO_API_RESOLVE_POLICIES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/grants.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// Which policies hold for a rule: of authentication, authorization and the cache each the nearest (rule, Route,
// listener, Gateway), of limits all. Of two that say the same of one target, which Apply refuses but a configuration
// may hold, the older holds, then namespace and name; of limits both, since none may be lost. Everything is asked of
// the configuration when it is wanted, and once.
class Policies {
 public:
  // Both outlive it.
  Policies(const check::Configuration& configuration, const Grants& grants)
      : configuration_(configuration), grants_(grants) {}

  // `rule_name` may be empty: nothing targets such a rule alone.
  EffectivePolicies Effective(const check::ResourceKey& gateway, std::string_view listener,
                              const check::ResourceKey& route, std::string_view rule_name);

  // What of a policy of any kind guards nothing (targets that are not there or not granted, or that another one
  // guards), what another one limits as well, and keys that it looks for in queries. None if there is no such policy.
  std::vector<Notice> NoticesOf(const check::ResourceKey& policy);

 private:
  using Target = std::pair<check::ResourceKey, std::string>;  // resource, section or ""
  // What a policy may say of a target.
  enum class Part : uint8_t { kAuthentication, kAuthorization, kLimits, kCache };

  static bool Says(const portico::v1::Resource& policy, Part part);
  // Who says it of the target, the oldest first: that one holds, and of limits each.
  const std::vector<BoundPolicy>& Holders(const Target& target, Part part);
  std::vector<BoundPolicy> FindHolders(const Target& target, Part part) const;
  // Why a policy can't guard a target; "": it can.
  std::string WhyNot(const check::ResourceKey& policy, const Target& target) const;
  void NoticeConflict(const check::ResourceKey& policy, const Target& target, Part part, const std::string& path,
                      std::vector<Notice>& notices);

  const check::Configuration& configuration_;
  const Grants& grants_;
  std::map<std::pair<Target, Part>, std::vector<BoundPolicy>> holders_;
};

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_POLICIES_H_
