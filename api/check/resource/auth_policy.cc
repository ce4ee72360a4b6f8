#include "api/check/resource/auth_policy.h"

#include <set>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "api/check/resource/names.h"
#include "api/check/resource/path_match.h"

namespace portico::check {
namespace {

using base::Concat;

void Authentication(const portico::v1::Authentication& authentication, Report& report) {
  std::set<std::string> issuers;
  bool anonymous = false;
  for (int i = 0; i < authentication.any_of_size(); ++i) {
    const auto& method = authentication.any_of(i);
    const std::string path = Concat("spec.authentication.anyOf[", i, "]");
    if (method.has_jwt() + method.has_api_key() + method.has_anonymous() != 1) {
      report.Add(path, "must hold exactly one of jwt and anonymous");
      continue;
    }
    if (method.has_anonymous() && std::exchange(anonymous, true)) report.Add(path + ".anonymous", "is there already");
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
