#include "api/check/resource/auth_policy.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "api/check/resource/names.h"
#include "api/check/resource/path_match.h"

namespace portico::check {
namespace {

using base::Concat;

bool HasJwt(const portico::v1::Authentication& authentication) {
  return std::any_of(authentication.any_of().begin(), authentication.any_of().end(),
                     [](const auto& method) { return method.has_jwt(); });
}

void Keys(const portico::v1::KeyExtraction& places, const std::string& path, bool beside_jwt, Report& report) {
  if (places.headers().empty() && places.cookies().empty() && places.query_params().empty()) {
    report.Add(path, "must name a header, a cookie or a query parameter");
  }
  for (int i = 0; i < places.headers_size(); ++i) {
    const std::string name = base::LowerAscii(places.headers(i).name());
    const std::string header = Concat(path, ".headers[", i, "].name");
    if (IsReservedField(name)) report.Add(header, "is a field of the connection or of framing, which holds no key");
    if (name == "cookie") report.Add(header, "holds many: name the cookie under cookies");
    if (name == "authorization" && beside_jwt) report.Add(header, "is where the tokens of anyOf stand");
  }
}

void Authentication(const portico::v1::Authentication& authentication, Report& report) {
  std::set<std::string> issuers;
  bool anonymous = false;
  bool keys = false;
  for (int i = 0; i < authentication.any_of_size(); ++i) {
    const auto& method = authentication.any_of(i);
    const std::string path = Concat("spec.authentication.anyOf[", i, "]");
    if (method.has_jwt() + method.has_api_key() + method.has_anonymous() != 1) {
      report.Add(path, "must hold exactly one of jwt, apiKey and anonymous");
      continue;
    }
    if (method.has_anonymous() && std::exchange(anonymous, true)) report.Add(path + ".anonymous", "is there already");
    if (method.has_api_key()) {
      if (std::exchange(keys, true)) report.Add(path + ".apiKey", "is there already");
      if (method.api_key().has_extract_from()) {
        Keys(method.api_key().extract_from(), path + ".apiKey.extractFrom", HasJwt(authentication), report);
      }
    }
    if (method.has_jwt() && !issuers.insert(method.jwt().issuer()).second) {
      report.Add(path + ".jwt.issuer", "is that of another entry");
    }
  }
}

void Principal(const portico::v1::Principal& principal, const std::string& path, Report& report) {
  const bool anonymous = principal.method() == portico::v1::AUTHENTICATION_METHOD_NAME_ANONYMOUS;
  const bool names_somebody = !principal.subjects().empty() || !principal.consumers().empty() ||
                              !principal.groups().empty() || !principal.claims().empty();
  if (anonymous && names_somebody) {
    report.Add(path + ".method", "is Anonymous, who has no subject, consumer, group or claim");
  }
  const bool key = principal.method() == portico::v1::AUTHENTICATION_METHOD_NAME_API_KEY;
  if (key && (!principal.subjects().empty() || !principal.claims().empty())) {
    report.Add(path + ".method", "is APIKey, whose callers have no subject and no claims");
  }
}

void Authorization(const portico::v1::Authorization& authorization, Report& report) {
  std::set<std::string> names;
  for (int i = 0; i < authorization.rules_size(); ++i) {
    const auto& rule = authorization.rules(i);
    const std::string path = Concat("spec.authorization.rules[", i, "]");
    if (!names.insert(rule.name()).second) report.Add(path + ".name", "is the name of another rule");
    Principal(rule.principal(), path + ".principal", report);
    for (int k = 0; k < rule.operation().paths_size(); ++k) {
      CheckPathMatch(rule.operation().paths(k), Concat(path, ".operation.paths[", k, "]"), report);
    }
  }
}

void IdentityHeaders(const portico::v1::AuthPolicySpec& spec, Report& report) {
  std::set<std::string> names;
  for (int i = 0; i < spec.identity_to_headers_size(); ++i) {
    const auto& header = spec.identity_to_headers(i);
    const std::string path = Concat("spec.identityToHeaders[", i, "]");
    const bool claim = header.identity() == portico::v1::IDENTITY_ATTRIBUTE_CLAIM;
    if (claim == header.claim().empty()) report.Add(path + ".claim", "is for identity Claim, and needed there");
    if (IsReservedField(header.header())) {
      report.Add(path + ".header", "is a field of the connection or of framing, which nobody may edit");
    } else if (!names.insert(base::LowerAscii(header.header())).second) {
      report.Add(path + ".header", "is that of another entry");
    }
  }
}

}  // namespace

void CheckAuthPolicy(const portico::v1::AuthPolicySpec& spec, Report& report) {
  if (!spec.has_authentication() && !spec.has_authorization()) {
    report.Add("spec", "must say authentication, authorization or both");
  }
  Authentication(spec.authentication(), report);
  Authorization(spec.authorization(), report);
  if (!spec.identity_to_headers().empty() && !spec.has_authentication()) {
    report.Add("spec.identityToHeaders", "goes with authentication, which is missing");
  }
  IdentityHeaders(spec, report);
}

}  // namespace portico::check
