#include "dataplane/filters/auth/auth_config.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/filters/auth/jwks.h"
#include "dataplane/http/syntax.h"
#include "dataplane/route/path.h"
#include "re2/re2.h"

namespace portico::auth {
namespace {

using check::ResourceKey;

// As for routes: what one regular expression may cost while it waits.
constexpr int64_t kRegexMemoryBytesMax = 1 << 20;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

// Length first, so that no two lists of texts are the same bytes.
void AppendCounted(std::string& out, std::string_view text) {
  out += base::Concat(text.size(), ":", text);
}

ResourceKey ConsumerKey(const std::string& name, const std::string& own_namespace) {
  const size_t slash = name.find('/');
  if (slash == std::string::npos) return {"Consumer", own_namespace, name};
  return {"Consumer", name.substr(0, slash), name.substr(slash + 1)};
}

absl::StatusOr<std::vector<std::string>> DecodeTexts(const google::protobuf::RepeatedPtrField<std::string>& texts,
                                                     std::string_view what) {
  if (std::find(texts.begin(), texts.end(), "") != texts.end()) return Fault("an empty one of ", what);
  return std::vector<std::string>(texts.begin(), texts.end());
}

absl::StatusOr<bool> DecodeDenies(v1::AuthorizationAction action, std::string_view where) {
  if (action == v1::AUTHORIZATION_ACTION_DENY) return true;
  if (action == v1::AUTHORIZATION_ACTION_ALLOW) return false;
  return Fault(where, " is neither Allow nor Deny");
}

// In the requests' spelling, as in route_config.
absl::StatusOr<route::RuleMatch> DecodePath(const v1::PathMatch& message) {
  route::RuleMatch out;
  const std::string value = message.has_value() ? message.value() : "/";
  if (message.type() == v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) {
    RE2::Options options;
    options.set_max_mem(kRegexMemoryBytesMax);
    options.set_log_errors(false);
    out.path_kind = route::PathKind::kRegex;
    out.path_regex = std::make_shared<const RE2>(value, options);
    if (!out.path_regex->ok()) return Fault("path ", value, ": ", out.path_regex->error());
    return out;
  }
  if (message.type() != v1::PATH_MATCH_TYPE_EXACT && message.type() != v1::PATH_MATCH_TYPE_PATH_PREFIX &&
      message.type() != v1::PATH_MATCH_TYPE_UNSPECIFIED) {
    return Fault("a path of an unknown type");
  }
  route::NormalisedPath normal = route::NormalisePath(value);
  if (!normal.status.ok()) return Fault("path ", value, ": ", base::ToStd(normal.status.message()));
  out.path = std::move(normal.path);
  out.path_kind = message.type() == v1::PATH_MATCH_TYPE_EXACT ? route::PathKind::kExact : route::PathKind::kPrefix;
  if (out.path_kind == route::PathKind::kPrefix && out.path.ends_with('/')) out.path.pop_back();
  return out;
}

absl::Status DecodePrincipal(const v1::Principal& message, const std::string& name_space, Principal& out) {
  switch (message.method()) {
    case v1::AUTHENTICATION_METHOD_NAME_UNSPECIFIED:
      break;
    case v1::AUTHENTICATION_METHOD_NAME_JWT:
      out.method = filter::IdentityMethod::kJwt;
      break;
    case v1::AUTHENTICATION_METHOD_NAME_ANONYMOUS:
      out.method = filter::IdentityMethod::kAnonymous;
      break;
    default:
      return Fault("principal.method is not supported");
  }
  absl::StatusOr<std::vector<std::string>> subjects = DecodeTexts(message.subjects(), "principal.subjects");
  if (!subjects.ok()) return subjects.status();
  out.subjects = *std::move(subjects);
  absl::StatusOr<std::vector<std::string>> groups = DecodeTexts(message.groups(), "principal.groups");
  if (!groups.ok()) return groups.status();
  out.groups = *std::move(groups);
  for (const std::string& name : message.consumers()) {
    ResourceKey key = ConsumerKey(name, name_space);
    out.consumers.push_back({std::move(key.name_space), std::move(key.name)});
  }
  out.claims = {message.claims().begin(), message.claims().end()};
  return absl::OkStatus();
}

absl::Status DecodeOperation(const v1::Operation& message, Operation& out) {
  absl::StatusOr<std::vector<std::string>> methods = DecodeTexts(message.methods(), "operation.methods");
  if (!methods.ok()) return methods.status();
  out.methods = *std::move(methods);
  for (const v1::PathMatch& path : message.paths()) {
    absl::StatusOr<route::RuleMatch> match = DecodePath(path);
    if (!match.ok()) return match.status();
    out.paths.push_back(*std::move(match));
  }
  absl::StatusOr<std::vector<std::string>> hosts = DecodeTexts(message.hosts(), "operation.hosts");
  if (!hosts.ok()) return hosts.status();
  for (const std::string& host : *hosts)
    out.hosts.push_back(base::LowerAscii(host));
  return absl::OkStatus();
}

absl::StatusOr<Authorization> DecodeAuthorization(const v1::Authorization& message, const std::string& name_space) {
  Authorization out;
  const absl::StatusOr<bool> by_default = DecodeDenies(message.default_action(), "defaultAction");
  if (!by_default.ok()) return by_default.status();
  out.denies_by_default = *by_default;
  for (const v1::AuthorizationRule& rule : message.rules()) {
    AuthorizationRule decoded;
    decoded.name = rule.name();
    const absl::StatusOr<bool> denies = DecodeDenies(rule.action(), "a rule's action");
    if (!denies.ok()) return denies.status();
    decoded.denies = *denies;
    if (absl::Status status = DecodePrincipal(rule.principal(), name_space, decoded.principal); !status.ok()) {
      return status;
    }
    if (absl::Status status = DecodeOperation(rule.operation(), decoded.operation); !status.ok()) return status;
    out.rules.push_back(std::move(decoded));
  }
  return out;
}

absl::StatusOr<IdentityHeader> DecodeIdentityHeader(const v1::IdentityHeader& message) {
  IdentityHeader out;
  out.name = base::LowerAscii(message.header());
  const http::FieldId id = http::FindFieldId(out.name);
  if (!http::IsLowercaseToken(out.name) || http::IsConnectionSpecific(id) || id == http::FieldId::kHost ||
      id == http::FieldId::kContentLength || id == http::FieldId::kTe || id == http::FieldId::kTrailer ||
      id == http::FieldId::kExpect) {
    return Fault("identityToHeaders can't write the field \"", out.name, "\"");
  }
  switch (message.identity()) {
    case v1::IDENTITY_ATTRIBUTE_SUBJECT:
      out.source = IdentityHeader::Source::kSubject;
      return out;
    case v1::IDENTITY_ATTRIBUTE_CONSUMER:
      out.source = IdentityHeader::Source::kConsumer;
      return out;
    case v1::IDENTITY_ATTRIBUTE_CLAIM:
      if (message.claim().empty()) return Fault("identityToHeaders: Claim without a claim");
      out.source = IdentityHeader::Source::kClaim;
      out.claim = message.claim();
      return out;
    default:
      return Fault("identityToHeaders: an unknown identity");
  }
}

class Builder {
 public:
  Builder(const check::Configuration& configuration, const resolve::Reach& reach)
      : configuration_(configuration), reach_(reach) {}

  absl::Status Build(const resolve::EffectiveAuth& auth, AuthConfig& out) const {
    for (const auto* half : {&auth.authentication, &auth.authorization}) {
      if (*half && ((*half)->resource == nullptr || !(*half)->resource->has_auth_policy())) {
        return Fault((*half)->key.ToString(), " is no AuthPolicy");
      }
    }
    if (auth.authentication) {
      if (absl::Status status = AddAuthentication(*auth.authentication, out); !status.ok()) return status;
    }
    if (auth.authorization) {
      const v1::AuthPolicySpec& spec = auth.authorization->resource->auth_policy().spec();
      if (!spec.has_authorization()) return Fault(auth.authorization->key.ToString(), " has no authorization");
      absl::StatusOr<Authorization> decoded =
          DecodeAuthorization(spec.authorization(), auth.authorization->key.name_space);
      if (!decoded.ok()) return decoded.status();
      out.authorization = *std::move(decoded);
    }
    if (auth.authentication) return AddConsumers(auth.authentication->key.name_space, out);
    return absl::OkStatus();
  }

 private:
  absl::Status AddAuthentication(const resolve::BoundPolicy& policy, AuthConfig& out) const {
    const v1::AuthPolicySpec& spec = policy.resource->auth_policy().spec();
    out.authenticates = true;
    for (const v1::AuthenticationMethod& method : spec.authentication().any_of()) {
      if (method.has_anonymous()) out.anonymous_allowed = true;
      if (method.has_api_key() || method.has_jwt() == method.has_anonymous()) {
        return Fault("a method of anyOf is not supported");
      }
      if (!method.has_jwt()) continue;
      absl::StatusOr<std::shared_ptr<const JwtMethod>> decoded = DecodeJwt(method.jwt(), policy.key);
      if (!decoded.ok()) return decoded.status();
      for (const std::shared_ptr<const JwtMethod>& other : out.methods) {
        if (other->verifier.issuer() == method.jwt().issuer()) return Fault("anyOf has an issuer twice");
      }
      out.methods.push_back(*std::move(decoded));
    }
    if (out.methods.empty() && !out.anonymous_allowed) return Fault("anyOf is empty");
    for (const v1::IdentityHeader& header : spec.identity_to_headers()) {
      absl::StatusOr<IdentityHeader> decoded = DecodeIdentityHeader(header);
      if (!decoded.ok()) return decoded.status();
      out.identity_headers.push_back(*std::move(decoded));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::shared_ptr<const JwtMethod>> DecodeJwt(const v1::JwtAuthentication& message,
                                                             const ResourceKey& policy) const {
    const v1::ObjectReference& reference = message.jwks().secret_ref();
    if (!message.jwks().uri().empty()) return Fault("jwks.uri is not supported");
    const ResourceKey key{"Secret", check::ReferredNamespace(reference.namespace_(), policy), reference.name()};
    const v1::Resource* secret = reach_.contains(key) ? configuration_.Find(key) : nullptr;
    if (secret == nullptr) return Fault(key.ToString(), " is missing, or no ReferenceGrant permits it");
    const v1::SecretSpec& spec = secret->secret().spec();
    if (!secret->has_secret() || !spec.has_jwks() || !spec.jwks().has_inline_()) {
      return Fault(key.ToString(), " has no jwks");
    }
    absl::StatusOr<Jwks> jwks = Jwks::Parse(spec.jwks().inline_());
    if (!jwks.ok()) return Fault(key.ToString(), ": ", base::ToStd(jwks.status().message()));
    JwtVerifier::Options options;
    options.issuer = message.issuer();
    options.audiences = {message.audiences().begin(), message.audiences().end()};
    options.jwks = std::make_shared<const Jwks>(*std::move(jwks));
    if (message.has_clock_skew()) options.clock_skew = base::DecodeDuration(message.clock_skew());
    std::string identity = base::Concat(options.clock_skew.count(), ";");
    AppendCounted(identity, options.issuer);
    AppendCounted(identity, spec.jwks().inline_());
    for (const std::string& audience : options.audiences)
      AppendCounted(identity, audience);
    absl::StatusOr<JwtVerifier> verifier = JwtVerifier::Create(std::move(options));
    if (!verifier.ok()) return verifier.status();
    const crypto::Sha256Digest digest = crypto::Sha256(identity);
    return std::make_shared<const JwtMethod>(
        JwtMethod{*std::move(verifier), std::string(reinterpret_cast<const char*>(digest.data()), digest.size())});
  }

  absl::Status AddConsumers(const std::string& name_space, AuthConfig& out) const {
    std::set<ResourceKey> foreign;
    for (const AuthorizationRule& rule :
         out.authorization ? out.authorization->rules : std::vector<AuthorizationRule>()) {
      for (const filter::ConsumerName& name : rule.principal.consumers) {
        if (name.name_space != name_space) foreign.insert({"Consumer", name.name_space, name.name});
      }
    }
    std::vector<Consumer> consumers;
    for (const auto& [key, reached] : reach_) {
      if (key.kind != "Consumer" || key.name_space != name_space) continue;
      if (absl::Status status = AddConsumer(key, consumers); !status.ok()) return status;
    }
    for (const ResourceKey& key : foreign) {
      if (!reach_.contains(key)) continue;  // a name that nobody has: the rule agrees with nobody by it
      if (absl::Status status = AddConsumer(key, consumers); !status.ok()) return status;
    }
    out.consumers = Consumers(std::move(consumers));
    return absl::OkStatus();
  }

  absl::Status AddConsumer(const ResourceKey& key, std::vector<Consumer>& consumers) const {
    const v1::Resource* resource = configuration_.Find(key);
    if (resource == nullptr || !resource->has_consumer()) return Fault(key.ToString(), " is missing");
    const v1::ConsumerSpec& spec = resource->consumer().spec();
    Consumer out{{key.name_space, key.name}, {spec.groups().begin(), spec.groups().end()}, {}};
    for (const v1::Credential& credential : spec.credentials()) {
      if (!credential.has_jwt() || credential.has_api_key() || credential.jwt().claims().empty()) {
        return Fault(key.ToString(), " has a credential that is not supported");
      }
      const v1::JwtCredential& jwt = credential.jwt();
      out.credentials.push_back({jwt.issuer(), {jwt.claims().begin(), jwt.claims().end()}});
    }
    consumers.push_back(std::move(out));
    return absl::OkStatus();
  }

  const check::Configuration& configuration_;
  const resolve::Reach& reach_;
};

}  // namespace

namespace {

std::vector<std::string> ReservedFields(const check::Configuration& configuration, const resolve::Reach& reach) {
  std::set<std::string> names;
  // Keys are in the order of their kinds: the policies stand together.
  const ResourceKey first{"AuthPolicy", "", ""};
  for (auto entry = reach.lower_bound(first); entry != reach.end() && entry->first.kind == "AuthPolicy"; ++entry) {
    const v1::Resource* resource = configuration.Find(entry->first);
    if (resource == nullptr) continue;
    for (const v1::IdentityHeader& header : resource->auth_policy().spec().identity_to_headers())
      names.insert(base::LowerAscii(header.header()));
  }
  return {names.begin(), names.end()};
}

}  // namespace

std::shared_ptr<const AuthConfig> BuildAuthConfig(const resolve::EffectiveAuth& auth,
                                                  const check::Configuration& configuration,
                                                  const resolve::Reach& reach) {
  std::vector<std::string> reserved = ReservedFields(configuration, reach);
  if (!auth.authentication && !auth.authorization && reserved.empty()) return nullptr;
  auto out = std::make_shared<AuthConfig>();
  out->reserved_fields = std::move(reserved);
  if (const absl::Status status = Builder(configuration, reach).Build(auth, *out); !status.ok()) {
    auto broken = std::make_shared<AuthConfig>();
    broken->fault = std::string(base::ToStd(status.message()));
    if (broken->fault.empty()) broken->fault = "the policy is broken";
    return broken;
  }
  return out;
}

}  // namespace portico::auth
