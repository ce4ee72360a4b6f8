#include "controlplane/access/rights.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"
#include "api/check/qualified_name.h"
#include "controlplane/crypto/bearer.h"

namespace portico::access {
namespace {

using check::Configuration;
using check::ResourceKey;
using portico::v1::RoleSpec;
using portico::v1::Token;

constexpr std::string_view kRole = "Role";
constexpr std::string_view kToken = "Token";

int64_t ExpiresMicros(const Token& token) {
  if (!token.spec().has_expires()) return std::numeric_limits<int64_t>::max();
  return token.spec().expires().seconds() * 1'000'000 + token.spec().expires().nanos() / 1000;
}

struct FoundToken {
  ResourceKey key;
  const Token* token = nullptr;
};

// All are compared, each in constant time. Of several with one digest the oldest counts: whoever reads the digest of a
// token can't take its callers over by making another one of it.
std::optional<FoundToken> FindToken(const Configuration& configuration, std::string_view sha256) {
  std::optional<FoundToken> found;
  configuration.ForEach(kToken, [&](const ResourceKey& key, const check::SharedResource& resource) {
    const Token& token = resource->token();
    if (!openssl::SameBytes(token.spec().sha256(), sha256)) return;
    if (found && found->token->metadata().creation_revision() <= token.metadata().creation_revision()) return;
    found = {key, &token};
  });
  return found;
}

bool Names(const RoleSpec& role, std::string_view name_space, const Credentials& credentials,
           const std::optional<FoundToken>& token) {
  return std::ranges::any_of(role.subjects(), [&](const portico::v1::RoleSubject& subject) {
    if (!subject.certificate().empty()) {
      return credentials.has_certificate && subject.certificate() == credentials.certificate;
    }
    return token.has_value() && TokenKey(subject.token(), name_space) == token->key;
  });
}

void Raise(RoleName& role, RoleName to) {
  role = std::max(role, to);
}

// What the Roles say of a caller that is known.
void AddRoles(const Configuration& configuration, const Credentials& credentials,
              const std::optional<FoundToken>& token, Rights& rights) {
  configuration.ForEach(kRole, [&](const ResourceKey& key, const check::SharedResource& resource) {
    const RoleSpec& role = resource->role().spec();
    if (!Names(role, key.name_space, credentials, token)) return;
    Raise(role.all_namespaces() ? rights.everywhere : rights.in[key.name_space], role.role());
  });
}

absl::StatusOr<Rights> RightsOfAnonymous(bool roles, const Settings& settings) {
  Rights rights;
  rights.author = "anonymous";
  rights.everywhere =
      settings.anonymous.value_or(roles ? portico::v1::ROLE_NAME_UNSPECIFIED : portico::v1::ROLE_NAME_ADMIN);
  if (rights.everywhere != portico::v1::ROLE_NAME_UNSPECIFIED) return rights;
  return absl::UnauthenticatedError("callers must say who they are here: show a token (porticoctl --token_file)");
}

}  // namespace

RoleName Rights::In(std::string_view name_space) const {
  const auto found = in.find(name_space);
  return found == in.end() ? everywhere : std::max(everywhere, found->second);
}

Scope Rights::Reads() const {
  Scope scope;
  scope.all = everywhere >= portico::v1::ROLE_NAME_VIEWER;
  for (const auto& [name_space, role] : in) {
    if (!scope.all && role >= portico::v1::ROLE_NAME_VIEWER) scope.namespaces.insert(name_space);
  }
  return scope;
}

absl::StatusOr<Rights> RightsOf(const Credentials& credentials, const Configuration& configuration,
                                const Settings& settings, int64_t now_micros) {
  Rights rights;
  std::optional<FoundToken> token;
  if (credentials.token_sha256) {
    if (!settings.admin_token_sha256.empty() &&
        openssl::SameBytes(settings.admin_token_sha256, *credentials.token_sha256)) {
      rights.author = "admin token";
      rights.everywhere = portico::v1::ROLE_NAME_ADMIN;
      return rights;
    }
    token = FindToken(configuration, *credentials.token_sha256);
    if (!token) return absl::UnauthenticatedError("the token is not known here; it may have been revoked");
    rights.expires_micros = ExpiresMicros(*token->token);
    if (now_micros >= rights.expires_micros) return absl::UnauthenticatedError("the token has expired");
  } else if (!credentials.has_certificate) {
    if (!credentials.secure) return RightsOfAnonymous(HasRoles(configuration), settings);
    return absl::UnauthenticatedError("a client certificate or a token is needed");
  }
  if (token) {
    rights.author = base::Concat("token ", token->key.name_space, "/", token->key.name);
  } else {
    rights.author =
        base::Concat("certificate ", credentials.certificate.empty() ? "without a name" : credentials.certificate);
  }
  if (HasRoles(configuration)) {
    AddRoles(configuration, credentials, token, rights);
  } else {
    rights.everywhere = portico::v1::ROLE_NAME_ADMIN;
  }
  return rights;
}

bool HasRoles(const Configuration& configuration) {
  const auto first = configuration.resources().lower_bound(ResourceKey{std::string(kRole), "", ""});
  return first != configuration.resources().end() && first->first.kind == kRole;
}

std::set<AdminBy> AdminsOf(const Configuration& configuration, bool certificates, int64_t now_micros) {
  std::set<AdminBy> admins;
  configuration.ForEach(kRole, [&](const ResourceKey& key, const check::SharedResource& resource) {
    const RoleSpec& role = resource->role().spec();
    if (!role.all_namespaces() || role.role() != portico::v1::ROLE_NAME_ADMIN) return;
    for (const portico::v1::RoleSubject& subject : role.subjects()) {
      if (!subject.certificate().empty()) {
        if (certificates) admins.insert({.certificate = subject.certificate()});
        continue;
      }
      const ResourceKey token = TokenKey(subject.token(), key.name_space);
      const portico::v1::Resource* found = configuration.Find(token);
      if (found == nullptr || now_micros >= ExpiresMicros(found->token())) continue;
      admins.insert(
          {.token = base::Concat(token.name_space, "/", token.name), .sha256 = found->token().spec().sha256()});
    }
  });
  return admins;
}

ResourceKey TokenKey(std::string_view name, std::string_view role_namespace) {
  return check::ReadQualifiedName(kToken, role_namespace, name);
}

std::string_view RoleText(RoleName role) {
  switch (role) {
    case portico::v1::ROLE_NAME_VIEWER:
      return "Viewer";
    case portico::v1::ROLE_NAME_EDITOR:
      return "Editor";
    case portico::v1::ROLE_NAME_ADMIN:
      return "Admin";
    default:
      return "no role";
  }
}

}  // namespace portico::access
