#include "dataplane/route/match.h"

#include <optional>

#include "dataplane/route/path.h"

namespace portico::route {
namespace {

bool FullMatch(const RE2& regex, std::string_view text) {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
}

bool ValueAgrees(const std::string& value, const Regex& regex, std::string_view text) {
  return regex == nullptr ? value == text : FullMatch(*regex, text);
}

}  // namespace

bool HostAgrees(std::string_view hostname, std::string_view host) {
  if (hostname.empty()) return true;
  if (!hostname.starts_with("*.")) return hostname == host;
  // At least one label in the place of the '*'.
  return host.size() > hostname.size() - 1 && host.ends_with(hostname.substr(1));
}

bool PathAgrees(const RuleMatch& match, std::string_view path) {
  switch (match.path_kind) {
    case PathKind::kExact:
      return path == match.path;
    case PathKind::kPrefix:
      if (!path.starts_with('/') || !path.starts_with(match.path)) return false;
      return path.size() == match.path.size() || path[match.path.size()] == '/';
    case PathKind::kRegex:
      return FullMatch(*match.path_regex, path);
  }
  return false;
}

Miss ConditionsMiss(const RuleMatch& match, const RequestView& request) {
  if (!match.method.empty() && match.method != request.method) return Miss::kMethod;
  for (const HeaderCondition& condition : match.headers) {
    const std::optional<std::string_view> value = request.fields.Combined(condition.name);
    if (!value || !ValueAgrees(condition.value, condition.regex, *value)) return Miss::kHeader;
  }
  for (const QueryCondition& condition : match.queries) {
    const std::optional<std::string> value = FindQueryParameter(request.query, condition.name);
    if (!value || !ValueAgrees(condition.value, condition.regex, *value)) return Miss::kQuery;
  }
  return Miss::kNone;
}

Miss FirstMiss(const RuleMatch& match, const RequestView& request) {
  if (!HostAgrees(match.hostname, request.host)) return Miss::kHost;
  if (!PathAgrees(match, request.path)) return Miss::kPath;
  return ConditionsMiss(match, request);
}

}  // namespace portico::route
