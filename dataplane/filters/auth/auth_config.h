#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_CONFIG_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_CONFIG_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/filters/auth/api_key.h"
#include "dataplane/filters/auth/authorization.h"
#include "dataplane/filters/auth/consumers.h"
#include "dataplane/filters/auth/jwt.h"
#include "dataplane/filters/auth/key_table.h"

namespace portico::auth {

struct JwtMethod {
  JwtVerifier verifier;
  std::string digest;  // SHA-256 of everything that makes a token good: two of the same may share a cache
  bool forward_credentials = false;
};

struct IdentityHeader {
  enum class Source : uint8_t { kSubject, kConsumer, kClaim };
  Source source = Source::kSubject;
  std::string name;   // lower case
  std::string claim;  // only of kClaim
};

// What a rule asks of its callers. Immutable, any thread.
struct AuthConfig {
  // Not "": this is broken, so everything is answered with 503. For the log; clients don't see it.
  std::string fault;

  // Names (lower case) by which any policy of the gateway tells origins who calls: no client may send them, on no rule,
  // or a rule that asks nobody would be the way around one that does.
  std::vector<std::string> reserved_fields;

  bool authenticates = false;  // false: everybody is anonymous, credentials are not looked at
  std::vector<std::shared_ptr<const JwtMethod>> methods;  // issuers are unique
  std::optional<ApiKeyMethod> keys;
  bool keys_first = false;  // of anyOf: of a request with both, the key decides
  bool anonymous_allowed = false;
  Consumers consumers;
  KeyTable key_table;  // empty without `keys`
  std::vector<IdentityHeader> identity_headers;
  std::optional<Authorization> authorization;  // nullopt: everybody who was let in may do everything
};

// Messages -> AuthConfig. On the main thread, while a snapshot is
// built. nullptr: neither half says anything and no field is reserved, so the rule needs no filter.
//
// It fails closed: a policy or Secret that is missing, outside of `reach` (ResolvedGateway::reach; what no
// ReferenceGrant permits is not in it) or not understood makes a config with a fault. Nothing is left out silently.
// Candidates for the caller's Consumer are those of the authentication policy's namespace, first, and those that the
// authorization rules name.
std::shared_ptr<const AuthConfig> BuildAuthConfig(const resolve::EffectiveAuth& auth,
                                                  const check::Configuration& configuration,
                                                  const resolve::Reach& reach);

// The query parameters (decoded, lower case) in which any policy within reach looks for keys: no log may show their
// values, whatever rule a request wins, or none.
std::vector<std::string> KeyParameters(const check::Configuration& configuration, const resolve::Reach& reach);

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_AUTH_CONFIG_H_
