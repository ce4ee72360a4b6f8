#include "api/check/resource/auth_policy.h"

#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "api/check/resource/names.h"

namespace portico::check {
namespace {

using base::Concat;

constexpr size_t kIssuerBytesMax = 1024;
constexpr int64_t kClockSkewMaxSeconds = 600;

class Checker {
 public:
  explicit Checker(const ResourceKey& key) : key_(key) {}

  Violations Take() { return std::move(violations_); }

  void Policy(const portico::v1::AuthPolicySpec& spec) {
    Count("spec.targetRefs", spec.target_refs_size(), 1, 16);
    for (int i = 0; i < spec.target_refs_size(); ++i) {
      const auto& target = spec.target_refs(i);
      const std::string path = Concat("spec.targetRefs[", i, "]");
      if (target.kind() != "Gateway" && target.kind() != "Route") Add(path + ".kind", "must be Gateway or Route");
      if (target.name().empty()) Add(path + ".name", "is missing");
    }
    if (!spec.has_authentication() && !spec.has_authorization()) {
      Add("spec", "must say authentication, authorization or both");
    }
    if (spec.has_authentication()) Authentication(spec.authentication());
    if (spec.has_authorization()) Authorization(spec.authorization());
    if (!spec.identity_to_headers().empty() && !spec.has_authentication()) {
      Add("spec.identityToHeaders", "goes with authentication, which is missing");
    }
    IdentityHeaders(spec);
  }

 private:
  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }
  void Count(std::string path, int count, int least, int most) {
    if (count < least || count > most) Add(std::move(path), Concat("must have ", least, " to ", most, " items"));
  }

  void Authentication(const portico::v1::Authentication& authentication) {
    Count("spec.authentication.anyOf", authentication.any_of_size(), 1, 8);
    std::set<std::string> issuers;
    bool anonymous = false;
    for (int i = 0; i < authentication.any_of_size(); ++i) {
      const auto& method = authentication.any_of(i);
      const std::string path = Concat("spec.authentication.anyOf[", i, "]");
      if (method.has_jwt() + method.has_api_key() + method.has_anonymous() != 1) {
        Add(path, "must hold exactly one of jwt and anonymous");
        continue;
      }
      if (method.has_anonymous() && std::exchange(anonymous, true)) Add(path + ".anonymous", "is there already");
      if (!method.has_jwt()) continue;
      Jwt(method.jwt(), path + ".jwt");
      if (!issuers.insert(method.jwt().issuer()).second) Add(path + ".jwt.issuer", "is that of another entry");
    }
  }

  void Jwt(const portico::v1::JwtAuthentication& jwt, const std::string& path) {
    if (jwt.issuer().empty() || jwt.issuer().size() > kIssuerBytesMax) {
      Add(path + ".issuer", Concat("must be 1 to ", kIssuerBytesMax, " bytes: whose tokens are taken"));
    }
    // Without an audience a token that was made for another service would open this one (RFC 8725 section 3.9).
    Count(path + ".audiences", jwt.audiences_size(), 1, 16);
    for (int i = 0; i < jwt.audiences_size(); ++i) {
      if (jwt.audiences(i).empty()) Add(Concat(path, ".audiences[", i, "]"), "must not be empty");
    }
    if (jwt.jwks().secret_ref().name().empty()) {
      Add(path + ".jwks.secretRef", "is missing: the Secret with the keys that sign");
    }
    const auto& skew = jwt.clock_skew();
    const bool longer =
        skew.seconds() > kClockSkewMaxSeconds || (skew.seconds() == kClockSkewMaxSeconds && skew.nanos() > 0);
    if (longer || skew.seconds() < 0 || skew.nanos() < 0) Add(path + ".clockSkew", "must be 0s to 10m");
  }

  void Authorization(const portico::v1::Authorization& authorization) {
    const std::string path = "spec.authorization";
    if (authorization.default_action() == portico::v1::AUTHORIZATION_ACTION_UNSPECIFIED) {
      Add(path + ".defaultAction", "is missing: Allow or Deny, for what no rule speaks of");
    }
    Count(path + ".rules", authorization.rules_size(), 0, 64);
    std::set<std::string> names;
    for (int i = 0; i < authorization.rules_size(); ++i) {
      const auto& rule = authorization.rules(i);
      const std::string item = Concat(path, ".rules[", i, "]");
      if (!IsLabel(rule.name())) Add(item + ".name", "must be lower-case letters, digits and '-', at most 63 bytes");
      if (!names.insert(rule.name()).second) Add(item + ".name", "is the name of another rule");
      if (rule.action() == portico::v1::AUTHORIZATION_ACTION_UNSPECIFIED) Add(item + ".action", "is missing");
      Principal(rule.principal(), item + ".principal");
      Operation(rule.operation(), item + ".operation");
    }
  }

  void Principal(const portico::v1::Principal& principal, const std::string& path) {
    Texts(principal.subjects(), path + ".subjects", 256);
    Texts(principal.consumers(), path + ".consumers", 256);
    Texts(principal.groups(), path + ".groups", 256);
    Count(path + ".claims", static_cast<int>(principal.claims_size()), 0, 16);
    const bool anonymous = principal.method() == portico::v1::AUTHENTICATION_METHOD_NAME_ANONYMOUS;
    const bool names_somebody = principal.subjects_size() + principal.consumers_size() + principal.groups_size() +
                                    static_cast<int>(principal.claims_size()) >
                                0;
    if (anonymous && names_somebody)
      Add(path + ".method", "is Anonymous, who has no subject, consumer, group or claim");
  }

  template <typename Texts_>
  void Texts(const Texts_& texts, const std::string& path, int most) {
    Count(path, texts.size(), 0, most);
    for (int i = 0; i < texts.size(); ++i) {
      if (texts.Get(i).empty()) Add(Concat(path, "[", i, "]"), "must not be empty");
    }
  }

  void Operation(const portico::v1::Operation& operation, const std::string& path) {
    Count(path + ".methods", operation.methods_size(), 0, 9);
    for (int i = 0; i < operation.methods_size(); ++i) {
      if (!IsMethod(operation.methods(i))) Add(Concat(path, ".methods[", i, "]"), Concat("must be ", kMethodsText));
    }
    Count(path + ".paths", operation.paths_size(), 0, 64);
    for (int i = 0; i < operation.paths_size(); ++i) {
      const auto& match = operation.paths(i);
      const bool regex = match.type() == portico::v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION;
      if (!regex && !match.value().starts_with('/')) Add(Concat(path, ".paths[", i, "].value"), "must begin with /");
    }
    Count(path + ".hosts", operation.hosts_size(), 0, 64);
    for (int i = 0; i < operation.hosts_size(); ++i) {
      if (!IsHostname(operation.hosts(i))) {
        Add(Concat(path, ".hosts[", i, "]"), "must be a DNS name in lower case, or `*.` and one");
      }
    }
  }

  void IdentityHeaders(const portico::v1::AuthPolicySpec& spec) {
    Count("spec.identityToHeaders", spec.identity_to_headers_size(), 0, 16);
    std::set<std::string> names;
    for (int i = 0; i < spec.identity_to_headers_size(); ++i) {
      const auto& header = spec.identity_to_headers(i);
      const std::string path = Concat("spec.identityToHeaders[", i, "]");
      const bool claim = header.identity() == portico::v1::IDENTITY_ATTRIBUTE_CLAIM;
      if (header.identity() == portico::v1::IDENTITY_ATTRIBUTE_UNSPECIFIED) Add(path + ".identity", "is missing");
      if (claim == header.claim().empty()) Add(path + ".claim", "is for identity Claim, and needed there");
      if (!IsToken(header.header())) {
        Add(path + ".header", "must be the name of a field (RFC 9110 section 5.1)");
      } else if (IsReservedField(header.header())) {
        Add(path + ".header", "is a field of the connection or of framing, which nobody may edit");
      } else if (!names.insert(base::LowerAscii(header.header())).second) {
        Add(path + ".header", "is that of another entry");
      }
    }
  }

  const ResourceKey key_;
  Violations violations_;
};

}  // namespace

Violations CheckAuthPolicy(const ResourceKey& key, const portico::v1::AuthPolicySpec& spec) {
  Checker checker(key);
  checker.Policy(spec);
  return checker.Take();
}

}  // namespace portico::check
