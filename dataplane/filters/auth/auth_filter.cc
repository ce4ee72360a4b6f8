#include "dataplane/filters/auth/auth_filter.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/filter/problem.h"
#include "dataplane/filters/auth/api_key.h"
#include "dataplane/filters/auth/claim.h"
#include "dataplane/filters/auth/jwt_cache.h"
#include "dataplane/http/syntax.h"
#include "dataplane/route/path.h"

namespace portico::auth {
namespace {

using filter::Continue;
using filter::FilterContext;
using filter::Identity;
using filter::Reply;
using filter::Verdict;

constexpr std::string_view kTokenChallenge = "Bearer realm=\"portico\"";
// No scheme of that name is registered; RFC 9110 section 11.6.1 wants one all the same.
constexpr std::string_view kKeyChallenge = "APIKey realm=\"portico\"";

// What is wrong with what was sent; of both "": nothing was. A token's description holds none of the characters that
// would need quoting (RFC 6750 section 3).
struct Fault {
  std::string_view token;
  std::string_view key;
};

std::string TokenChallenge(std::string_view fault) {
  if (fault.empty()) return std::string(kTokenChallenge);
  return base::Concat(kTokenChallenge, ", error=\"invalid_token\", error_description=\"", fault, "\"");
}

// With a challenge for every way in that there is.
Reply Unauthorized(const AuthConfig& config, const Fault& fault) {
  const bool tokens = !config.methods.empty();
  std::string_view needed = tokens ? "This resource needs a bearer token." : "This resource needs a key.";
  std::string_view missing = tokens ? "no token" : "no key";
  if (tokens && config.keys) {
    needed = "This resource needs a bearer token or a key.";
    missing = "no token and no key";
  }
  const std::string_view wrong = fault.token.empty() ? fault.key : fault.token;
  Reply out = filter::ProblemReply(401, wrong.empty() ? needed : wrong);
  if (tokens) out.fields.emplace_back("www-authenticate", TokenChallenge(fault.token));
  if (config.keys) out.fields.emplace_back("www-authenticate", kKeyChallenge);
  out.reason = base::Concat("auth: ", wrong.empty() ? missing : wrong);
  return out;
}

// The credentials of a request, before anything is known about them.
struct Credentials {
  enum class Kind { kNone, kBearer, kOtherScheme, kSeveral };
  Kind kind = Kind::kNone;
  std::string_view token;  // of kBearer; nothing is checked yet
};

Credentials FindCredentials(const http::Fields& fields) {
  const size_t count = fields.Count(http::FieldId::kAuthorization);
  if (count == 0) return {};
  if (count > 1) return {Credentials::Kind::kSeveral, {}};
  const std::string_view value = *fields.Find(http::FieldId::kAuthorization);
  const size_t space = value.find(' ');
  if (!base::EqualsIgnoreCase(value.substr(0, space), "bearer")) return {Credentials::Kind::kOtherScheme, {}};
  // RFC 9110 section 11.4: one space or more.
  const size_t begin = value.find_first_not_of(' ', space);
  const bool alone = space == std::string_view::npos || begin == std::string_view::npos;
  return {Credentials::Kind::kBearer, alone ? std::string_view() : value.substr(begin)};
}

bool IsNormal(std::string_view path) {
  if (!route::NeedsNormalising(path)) return true;
  const route::NormalisedPath normal = route::NormalisePath(path);
  return normal.status.ok() && normal.path == path;
}

void RemoveIdentityFields(const AuthConfig& config, http::Fields& fields) {
  if (config.reserved_fields.empty()) return;
  fields.RemoveIf([&config](const http::Field& field) {
    return std::any_of(config.reserved_fields.begin(), config.reserved_fields.end(),
                       [&field](const std::string& name) { return LooksTheSame(field.name, name); });
  });
}

std::string_view IdentityValue(const IdentityHeader& header, const Identity& identity) {
  switch (header.source) {
    case IdentityHeader::Source::kSubject:
      return identity.subject;
    case IdentityHeader::Source::kConsumer:
      return identity.consumer();
    case IdentityHeader::Source::kClaim:
      break;
  }
  const base::Json* claim = identity.claims.Find(header.claim);
  return claim == nullptr ? std::string_view() : ClaimText(*claim).value_or(std::string_view());
}

void AddIdentityFields(const AuthConfig& config, const Identity& identity, http::Fields& fields) {
  for (const IdentityHeader& header : config.identity_headers) {
    const std::string_view value = IdentityValue(header, identity);
    if (!value.empty() && http::IsFieldValue(value) && http::TrimOws(value) == value) fields.Add(header.name, value);
  }
}

Identity IdentityOf(const std::shared_ptr<const Claims>& claims, const Consumers& consumers) {
  Identity out;
  out.method = filter::IdentityMethod::kJwt;
  out.subject = claims->subject();
  out.issuer = claims->issuer();
  out.scopes = claims->scopes();
  out.claims = claims->payload();
  out.owner = claims;
  consumers.Recognise(out.issuer, out.claims, out);
  return out;
}

class AuthFilter final : public filter::Filter {
 public:
  AuthFilter(const std::shared_ptr<const AuthConfig>& config, filter::WorkerSlots& slots)
      : config_(config), slots_(slots) {}

  Verdict OnRequestHead(FilterContext& context, filter::Resume /*resume*/) override {
    if (!config_->fault.empty()) return Broken();
    // Seen before fields are removed: one of them may be called authorization.
    const Credentials credentials = FindCredentials(context.request.fields);
    const PresentedKey key = config_->keys ? FindKey(*config_->keys, context.request) : PresentedKey();
    RemoveIdentityFields(*config_, context.request.fields);
    if (config_->authenticates) {
      if (std::optional<Reply> refusal = Authenticate(credentials, key, context)) return *std::move(refusal);
    }
    if (config_->authorization) {
      if (std::optional<Reply> refusal = Authorize(context)) return *std::move(refusal);
    }
    if (!config_->methods.empty() && !keeps_token_) context.request.fields.Remove(http::FieldId::kAuthorization);
    if (config_->keys) RemoveKeys(*config_->keys, kept_key_, context.request);
    AddIdentityFields(*config_, context.identity, context.request.fields);
    return Continue();
  }

  // Origins may merge the trailer section into the header section (RFC 9110 section 6.5.1).
  void OnRequestTrailers(FilterContext& /*context*/, http::Fields& trailers) override {
    RemoveIdentityFields(*config_, trailers);
    if (!config_->methods.empty()) trailers.Remove(http::FieldId::kAuthorization);
    if (config_->keys) RemoveKeyFields(*config_->keys, KeyPlace(), trailers);
  }

 private:
  Reply Broken() const {
    Reply out = filter::ProblemReply(503, "This resource can't be served at the moment.");
    out.reason = base::Concat("auth: ", config_->fault);
    return out;
  }

  // nullopt: the caller may be who they say; then context.identity says who.
  std::optional<Reply> Authenticate(const Credentials& credentials, const PresentedKey& key, FilterContext& context) {
    // Only anonymous callers are known: everybody is.
    if (config_->methods.empty() && !config_->keys) return std::nullopt;
    const bool has_token = !config_->methods.empty() && credentials.kind != Credentials::Kind::kNone;
    if (key.count > 0 && (!has_token || config_->keys_first)) return AuthenticateKey(key, context);
    if (has_token) return AuthenticateToken(credentials, context);
    if (config_->anonymous_allowed) return std::nullopt;
    return Unauthorized(*config_, {});
  }

  std::optional<Reply> AuthenticateKey(const PresentedKey& key, FilterContext& context) {
    if (key.count > 1) return Unauthorized(*config_, {"", "more than one key"});
    const KeyTable::Result found = config_->key_table.Find(key.key, context.now);
    if (found.verdict == KeyTable::Verdict::kExpired) return Unauthorized(*config_, {"", "the key has expired"});
    if (found.verdict != KeyTable::Verdict::kKnown) return Unauthorized(*config_, {"", "the key is not known"});
    context.identity.method = filter::IdentityMethod::kApiKey;
    Become(config_->consumers.all()[found.consumer], context.identity);
    if (config_->keys->forward_credentials) kept_key_ = key.place;
    return std::nullopt;
  }

  std::optional<Reply> AuthenticateToken(const Credentials& credentials, FilterContext& context) {
    if (credentials.kind == Credentials::Kind::kOtherScheme) return Unauthorized(*config_, {});
    if (credentials.kind == Credentials::Kind::kSeveral) {
      return Unauthorized(*config_, {"more than one authorization field", ""});
    }
    const std::string_view token = credentials.token;
    const bool fits = token.size() <= JwtVerifier::kTokenBytesMax;
    const std::shared_ptr<const JwtMethod> method = fits ? Choose(token) : nullptr;
    if (method == nullptr) {
      return Unauthorized(*config_, {JwtRefusalText(fits ? JwtRefusal::kWrongIssuer : JwtRefusal::kTooLong), ""});
    }
    const JwtVerifier::Result result = Verify(method, token, context.now);
    if (result.claims == nullptr) return Unauthorized(*config_, {JwtRefusalText(result.refusal), ""});
    context.identity = IdentityOf(result.claims, config_->consumers);
    keeps_token_ = method->forward_credentials;
    return std::nullopt;
  }

  JwtVerifier::Result Verify(const std::shared_ptr<const JwtMethod>& method, std::string_view token,
                             base::WallTime now) {
    const std::shared_ptr<JwtCache> cache = slots_.Get<JwtCache>(method->digest, method);
    const JwtCache::Key key = JwtCache::KeyOf(token);
    if (std::shared_ptr<const Claims> known = cache->Find(key, now)) return {JwtRefusal::kNone, std::move(known)};
    JwtVerifier::Result result = method->verifier.Verify(token, now);
    if (result.claims != nullptr) cache->Insert(key, result.claims);
    return result;
  }

  std::shared_ptr<const JwtMethod> Choose(std::string_view token) const {
    // A lone verifier gives the better reason for a token that can't be read.
    if (config_->methods.size() == 1) return config_->methods.front();
    const std::string issuer = JwtVerifier::UnverifiedIssuer(token);
    for (const std::shared_ptr<const JwtMethod>& method : config_->methods) {
      if (method->verifier.issuer() == issuer) return method;
    }
    return nullptr;
  }

  std::optional<Reply> Authorize(const FilterContext& context) const {
    // Whoever hands in another spelling could be on the way around a rule.
    if (!IsNormal(context.path)) return filter::ProblemReply(400, "The path is not normal.");
    const Authorization::Decision decision = config_->authorization->DecideEveryReading(
        {context.identity, context.request.method, context.host, context.path});
    if (decision.allowed) return std::nullopt;
    Reply out = filter::ProblemReply(403, "The caller is not permitted to do this.");
    out.reason = decision.rule == nullptr ? "auth: denied by default"
                                          : base::Concat("auth: denied by rule ", decision.rule->name);
    return out;
  }

  const std::shared_ptr<const AuthConfig> config_;
  filter::WorkerSlots& slots_;
  bool keeps_token_ = false;  // for the origin
  KeyPlace kept_key_;         // for the origin
};

}  // namespace

std::unique_ptr<filter::Filter> AuthFilterConfig::MakeFilter(filter::WorkerSlots& slots) const {
  return std::make_unique<AuthFilter>(config_, slots);
}

}  // namespace portico::auth
