#include "dataplane/filters/auth/auth_filter.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/filter/problem.h"
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

constexpr std::string_view kChallenge = "Bearer realm=\"portico\"";

// `error_description` holds none of the characters that would need quoting (RFC 6750 section 3).
Reply Unauthorized(std::string_view error_description) {
  const bool nothing_sent = error_description.empty();
  Reply out = filter::ProblemReply(401, nothing_sent ? "This resource needs a bearer token." : error_description);
  out.fields.emplace_back("www-authenticate", nothing_sent
                                                  ? std::string(kChallenge)
                                                  : base::Concat(kChallenge, ", error=\"invalid_token\"",
                                                                 ", error_description=\"", error_description, "\""));
  out.reason = nothing_sent ? "auth: no token" : base::Concat("auth: ", error_description);
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

bool IsLetterOrDigit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

// Lower-case names that an origin may read as one.
bool LooksTheSame(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return x == y || (!IsLetterOrDigit(x) && !IsLetterOrDigit(y)); });
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
    RemoveIdentityFields(*config_, context.request.fields);
    if (config_->authenticates) {
      if (std::optional<Reply> refusal = Authenticate(credentials, context)) return *std::move(refusal);
    }
    if (config_->authorization) {
      if (std::optional<Reply> refusal = Authorize(context)) return *std::move(refusal);
    }
    AddIdentityFields(*config_, context.identity, context.request.fields);
    return Continue();
  }

  // Origins may merge the trailer section into the header section (RFC 9110 section 6.5.1).
  void OnRequestTrailers(FilterContext& /*context*/, http::Fields& trailers) override {
    RemoveIdentityFields(*config_, trailers);
  }

 private:
  Reply Broken() const {
    Reply out = filter::ProblemReply(503, "This resource can't be served at the moment.");
    out.reason = base::Concat("auth: ", config_->fault);
    return out;
  }

  // nullopt: the caller may be who they say; then context.identity says who.
  std::optional<Reply> Authenticate(const Credentials& credentials, FilterContext& context) {
    if (config_->methods.empty()) return std::nullopt;  // only anonymous callers are known: everybody is
    switch (credentials.kind) {
      case Credentials::Kind::kNone:
        if (config_->anonymous_allowed) return std::nullopt;
        return Unauthorized("");
      case Credentials::Kind::kOtherScheme:
        return Unauthorized("");
      case Credentials::Kind::kSeveral:
        return Unauthorized("more than one authorization field");
      case Credentials::Kind::kBearer:
        break;
    }
    const JwtVerifier::Result result = Verify(credentials.token, context.now);
    if (result.claims == nullptr) return Unauthorized(JwtRefusalText(result.refusal));
    context.identity = IdentityOf(result.claims, config_->consumers);
    return std::nullopt;
  }

  JwtVerifier::Result Verify(std::string_view token, base::WallTime now) {
    if (token.size() > JwtVerifier::kTokenBytesMax) return {JwtRefusal::kTooLong, nullptr};
    const std::shared_ptr<const JwtMethod> method = Choose(token);
    if (method == nullptr) return {JwtRefusal::kWrongIssuer, nullptr};
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
};

}  // namespace

std::unique_ptr<filter::Filter> AuthFilterConfig::MakeFilter(filter::WorkerSlots& slots) const {
  return std::make_unique<AuthFilter>(config_, slots);
}

}  // namespace portico::auth
