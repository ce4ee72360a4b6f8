#include "dataplane/filters/auth/auth_config.h"

#include <chrono>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/filters/auth/authorization_config.h"
#include "dataplane/filters/auth/consumers_config.h"
#include "dataplane/filters/auth/jwks.h"
#include "dataplane/http/syntax.h"

namespace portico::auth {
namespace {

using check::ResourceKey;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

// Length first, so that no two lists of texts are the same bytes.
void AppendCounted(std::string& out, std::string_view text) {
  out += base::Concat(text.size(), ":", text);
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

absl::StatusOr<ApiKeyMethod> DecodeApiKey(const v1::ApiKeyAuthentication& message) {
  ApiKeyMethod out;
  for (const v1::KeyHeader& header : message.extract_from().headers()) {
    out.headers.push_back(base::LowerAscii(header.name()));
    if (!http::IsLowercaseToken(out.headers.back())) return Fault("apiKey: a header without a name");
  }
  for (const v1::KeyCookie& cookie : message.extract_from().cookies())
    out.cookies.push_back(cookie.name());
  for (const v1::KeyQueryParam& parameter : message.extract_from().query_params())
    out.parameters.push_back(parameter.name());
  if (out.headers.empty() && out.cookies.empty() && out.parameters.empty()) return Fault("apiKey names no place");
  out.forward_credentials = message.forward_credentials();
  return out;
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
          BuildAuthorization(spec.authorization(), auth.authorization->key.name_space);
      if (!decoded.ok()) return decoded.status();
      out.authorization = *std::move(decoded);
    }
    if (!auth.authentication) return absl::OkStatus();
    absl::StatusOr<Consumers> consumers = BuildConsumers(
        auth.authentication->key.name_space, out.authorization ? &*out.authorization : nullptr, configuration_, reach_);
    if (!consumers.ok()) return consumers.status();
    out.consumers = *std::move(consumers);
    if (out.keys) out.key_table = KeyTable(out.consumers);
    return absl::OkStatus();
  }

 private:
  absl::Status AddAuthentication(const resolve::BoundPolicy& policy, AuthConfig& out) const {
    const v1::AuthPolicySpec& spec = policy.resource->auth_policy().spec();
    out.authenticates = true;
    for (const v1::AuthenticationMethod& method : spec.authentication().any_of()) {
      if (method.has_jwt() + method.has_api_key() + method.has_anonymous() != 1) {
        return Fault("a method of anyOf is not supported");
      }
      if (method.has_anonymous()) out.anonymous_allowed = true;
      if (method.has_api_key()) {
        if (out.keys) return Fault("anyOf has apiKey twice");
        absl::StatusOr<ApiKeyMethod> keys = DecodeApiKey(method.api_key());
        if (!keys.ok()) return keys.status();
        out.keys = *std::move(keys);
        out.keys_first = out.methods.empty();
      }
      if (!method.has_jwt()) continue;
      absl::StatusOr<std::shared_ptr<const JwtMethod>> decoded = DecodeJwt(method.jwt(), policy.key);
      if (!decoded.ok()) return decoded.status();
      for (const std::shared_ptr<const JwtMethod>& other : out.methods) {
        if (other->verifier.issuer() == method.jwt().issuer()) return Fault("anyOf has an issuer twice");
      }
      out.methods.push_back(*std::move(decoded));
    }
    if (out.methods.empty() && !out.keys && !out.anonymous_allowed) return Fault("anyOf is empty");
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
        JwtMethod{*std::move(verifier), std::string(reinterpret_cast<const char*>(digest.data()), digest.size()),
                  message.forward_credentials()});
  }

  const check::Configuration& configuration_;
  const resolve::Reach& reach_;
};

// Of all AuthPolicies within reach: keys are in the order of their kinds, so they stand together.
template <typename Visit>
void ForEachPolicy(const check::Configuration& configuration, const resolve::Reach& reach, const Visit& visit) {
  const ResourceKey first{"AuthPolicy", "", ""};
  for (auto entry = reach.lower_bound(first); entry != reach.end() && entry->first.kind == "AuthPolicy"; ++entry) {
    const v1::Resource* resource = configuration.Find(entry->first);
    if (resource != nullptr) visit(resource->auth_policy().spec());
  }
}

std::vector<std::string> ReservedFields(const check::Configuration& configuration, const resolve::Reach& reach) {
  std::set<std::string> names;
  ForEachPolicy(configuration, reach, [&names](const v1::AuthPolicySpec& spec) {
    for (const v1::IdentityHeader& header : spec.identity_to_headers())
      names.insert(base::LowerAscii(header.header()));
  });
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

std::vector<std::string> KeyParameters(const check::Configuration& configuration, const resolve::Reach& reach) {
  std::set<std::string> names;
  ForEachPolicy(configuration, reach, [&names](const v1::AuthPolicySpec& spec) {
    for (const v1::AuthenticationMethod& method : spec.authentication().any_of()) {
      for (const v1::KeyQueryParam& parameter : method.api_key().extract_from().query_params())
        names.insert(base::LowerAscii(parameter.name()));
    }
  });
  return {names.begin(), names.end()};
}

}  // namespace portico::auth
