#include "dataplane/filters/auth/authorization_config.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/check/qualified_name.h"
#include "dataplane/route/path.h"
#include "re2/re2.h"

namespace portico::auth {
namespace {

// As for routes: what one regular expression may cost while it waits.
constexpr int64_t kRegexMemoryBytesMax = 1 << 20;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
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

}  // namespace

absl::StatusOr<std::optional<filter::IdentityMethod>> DecodeMethod(v1::AuthenticationMethodName method) {
  switch (method) {
    case v1::AUTHENTICATION_METHOD_NAME_UNSPECIFIED:
      return std::optional<filter::IdentityMethod>();
    case v1::AUTHENTICATION_METHOD_NAME_JWT:
      return std::optional(filter::IdentityMethod::kJwt);
    case v1::AUTHENTICATION_METHOD_NAME_API_KEY:
      return std::optional(filter::IdentityMethod::kApiKey);
    case v1::AUTHENTICATION_METHOD_NAME_ANONYMOUS:
      return std::optional(filter::IdentityMethod::kAnonymous);
    default:
      return Fault("principal.method is not supported");
  }
}

namespace {

absl::Status DecodePrincipal(const v1::Principal& message, const std::string& name_space, Principal& out) {
  const absl::StatusOr<std::optional<filter::IdentityMethod>> method = DecodeMethod(message.method());
  if (!method.ok()) return method.status();
  out.method = *method;
  absl::StatusOr<std::vector<std::string>> subjects = DecodeTexts(message.subjects(), "principal.subjects");
  if (!subjects.ok()) return subjects.status();
  out.subjects = *std::move(subjects);
  absl::StatusOr<std::vector<std::string>> groups = DecodeTexts(message.groups(), "principal.groups");
  if (!groups.ok()) return groups.status();
  out.groups = *std::move(groups);
  for (const std::string& name : message.consumers()) {
    check::ResourceKey key = check::ReadQualifiedName("Consumer", name_space, name);
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

}  // namespace

absl::StatusOr<Authorization> BuildAuthorization(const v1::Authorization& message, const std::string& name_space) {
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

}  // namespace portico::auth
