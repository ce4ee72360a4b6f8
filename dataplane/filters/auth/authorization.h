#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/filter/identity.h"
#include "dataplane/filters/auth/claim.h"
#include "dataplane/route/match.h"

namespace portico::auth {

// Who a rule is about: all that is given must match; of a list, one. An empty list says nothing.
struct Principal {
  std::optional<filter::IdentityMethod> method;
  std::vector<std::string> subjects;
  std::vector<filter::ConsumerName> consumers;
  std::vector<std::string> groups;
  ClaimConditions claims;
};

// What they do, in the same way.
struct Operation {
  std::vector<std::string> methods;
  std::vector<route::RuleMatch> paths;  // only their path is looked at
  std::vector<std::string> hosts;       // as RuleMatch::hostname
};

struct AuthorizationRule {
  std::string name;
  bool denies = false;
  Principal principal;
  Operation operation;
};

// What is judged. `path` is normal and has no query (route/path.h), `host` is lower case without port.
struct Attempt {
  const filter::Identity& identity;
  std::string_view method;
  std::string_view host;
  std::string_view path;
};

// Immutable, any thread.
struct Authorization {
  bool denies_by_default = true;
  std::vector<AuthorizationRule> rules;

  struct Decision {
    bool allowed = false;
    const AuthorizationRule* rule = nullptr;  // nullptr: the default
  };
  // A rule that denies wins over every rule that allows, wherever it stands; where none speaks, the default does.
  Decision Decide(const Attempt& attempt) const;
  // Of the path and of every other reading of it: origins differ in what ends a segment, and what any of them would
  // take for a forbidden path is forbidden.
  Decision DecideEveryReading(const Attempt& attempt) const;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_AUTHORIZATION_H_
