#ifndef PORTICO_CONTROLPLANE_ACCESS_RIGHTS_H_
#define PORTICO_CONTROLPLANE_ACCESS_RIGHTS_H_

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/portico/v1/access.pb.h"

namespace portico::access {

using portico::v1::RoleName;  // their numbers are in the order of what they allow; ROLE_NAME_UNSPECIFIED: nothing

// What a caller has shown of itself.
struct Credentials {
  bool secure = false;           // over TLS; else on loopback
  bool has_certificate = false;  // that --client_ca has signed
  std::string certificate = {};  // what it is known by; empty: by nothing
  // Of its bearer token: 64 hexadecimal digits in lower case. The token itself is not kept.
  std::optional<std::string> token_sha256 = {};
};

// What holds beside the configuration.
struct Settings {
  // Of callers on loopback without TLS that show nothing. nullopt: Admin while there is no Role, and then nothing.
  std::optional<RoleName> anonymous = {};
  // Of the admin token: a store's first start makes one, and each start with --new_admin_token. Empty: there is none.
  std::string admin_token_sha256 = {};
};

// Which namespaces somebody may read.
struct Scope {
  bool all = false;
  std::set<std::string, std::less<>> namespaces = {};  // if not all

  bool Has(std::string_view name_space) const { return all || namespaces.contains(name_space); }
  bool empty() const { return !all && namespaces.empty(); }
  bool operator==(const Scope&) const = default;
};

// What a caller may do, as of one configuration and one moment.
struct Rights {
  std::string author = {};  // for the record: "certificate alice", "token default/ci", "admin token", "anonymous"
  RoleName everywhere = portico::v1::ROLE_NAME_UNSPECIFIED;
  std::map<std::string, RoleName, std::less<>> in = {};  // by namespace, beside `everywhere`
  // When its token expires, in microseconds since 1970.
  int64_t expires_micros = std::numeric_limits<int64_t>::max();

  RoleName In(std::string_view name_space) const;
  Scope Reads() const;
};

// kUnauthenticated, in words: a token that is not known or has expired, or nothing shown where something is needed.
// What is returned may allow nothing. `now`: microseconds since 1970.
absl::StatusOr<Rights> RightsOf(const Credentials& credentials, const check::Configuration& configuration,
                                const Settings& settings, int64_t now_micros);

bool HasRoles(const check::Configuration& configuration);

// What makes somebody Admin in all namespaces: a certificate, of which nobody knows if anybody has it, or a Token that
// is there and has not expired.
struct AdminBy {
  std::string certificate = {};  // else empty
  std::string token = {};        // "namespace/name"; else empty
  std::string sha256 = {};       // the token's

  auto operator<=>(const AdminBy&) const = default;
};
// `certificates`: clients may show some; else none counts.
std::set<AdminBy> AdminsOf(const check::Configuration& configuration, bool certificates, int64_t now_micros);

// "name" in the namespace of a Role, or "namespace/name": the Token that a subject names.
check::ResourceKey TokenKey(std::string_view name, std::string_view role_namespace);

// "Editor", "no role".
std::string_view RoleText(RoleName role);

}  // namespace portico::access

#endif  // PORTICO_CONTROLPLANE_ACCESS_RIGHTS_H_
