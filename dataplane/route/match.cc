#include "dataplane/route/match.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <tuple>

#include "dataplane/route/path.h"

namespace portico::route {
namespace {

bool FullMatch(const RE2& regex, std::string_view text) {
  return RE2::FullMatch(re2::StringPiece(text.data(), text.size()), regex);
}

// Exact names before the longest wildcard before any.
auto HostRank(std::string_view hostname) {
  const int kind = hostname.empty() ? 2 : hostname.starts_with("*.") ? 1 : 0;
  return std::tuple(kind, kind == 1 ? -static_cast<int64_t>(hostname.size()) : 0, hostname);
}

// All columns behind the hostname.
auto Rank(const RuleMatch& match) {
  const Rule& rule = *match.rule;
  const std::string_view route = rule.route;
  const size_t slash = std::min(route.find('/'), route.size());
  const int64_t length = match.path_kind == PathKind::kPrefix ? static_cast<int64_t>(match.path.size()) : 0;
  const std::string_view path = match.path_kind == PathKind::kRegex ? std::string_view() : match.path;
  return std::tuple(match.path_kind, -length, path, match.method.empty(), -static_cast<int64_t>(match.headers.size()),
                    -static_cast<int64_t>(match.queries.size()), rule.route_age, route.substr(0, slash),
                    route.substr(slash), rule.index, match.index);
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

bool ComesBefore(const RuleMatch& a, const RuleMatch& b) {
  if (a.hostname != b.hostname) return HostRank(a.hostname) < HostRank(b.hostname);
  return Rank(a) < Rank(b);
}

}  // namespace portico::route
