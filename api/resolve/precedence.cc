#include "api/resolve/precedence.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "api/base/text.h"
#include "api/resolve/hostname.h"

namespace portico::resolve {
namespace {

using portico::v1::HeaderMatch;
using portico::v1::PathMatch;
using portico::v1::QueryParamMatch;
using portico::v1::RouteMatch;

PathMatch NormalisePath(const PathMatch& path) {
  PathMatch out = path;
  if (out.type() == v1::PATH_MATCH_TYPE_UNSPECIFIED) out.set_type(v1::PATH_MATCH_TYPE_PATH_PREFIX);
  std::string value = path.has_value() ? path.value() : "/";
  if (out.type() == v1::PATH_MATCH_TYPE_PATH_PREFIX && value.ends_with('/')) value.pop_back();
  out.set_value(std::move(value));
  return out;
}

// Exact before the longest prefix before regular expressions.
std::pair<int, int64_t> PathRank(const PathMatch& path) {
  if (path.type() == v1::PATH_MATCH_TYPE_EXACT) return {0, 0};
  if (path.type() == v1::PATH_MATCH_TYPE_PATH_PREFIX) return {1, -static_cast<int64_t>(path.value().size())};
  return {2, 0};
}

bool ComesBefore(const ResolvedMatch& a, const ResolvedMatch& b, const std::vector<ResolvedRule>& rules) {
  if (a.hostname != b.hostname) return MoreSpecificHostname(a.hostname, b.hostname);
  const auto rank = [&rules](const ResolvedMatch& match) {
    const ResolvedRule& rule = rules[match.rule];
    return std::tuple(PathRank(match.match.path()), match.match.method().empty() ? 1 : 0, -match.match.headers_size(),
                      -match.match.query_params_size(), rule.resource->route().metadata().creation_revision(),
                      std::tie(rule.route.name_space), std::tie(rule.route.name), rule.index, match.index);
  };
  return rank(a) < rank(b);
}

// Conditions other than path and host as a text that is equal for equal conditions, whatever their order.
std::string Conditions(const RouteMatch& match) {
  std::set<std::tuple<char, int, std::string, std::string>> all;
  for (const HeaderMatch& header : match.headers())
    all.emplace('h', header.type(), header.name(), header.value());
  for (const QueryParamMatch& query : match.query_params())
    all.emplace('q', query.type(), query.name(), query.value());
  // Lengths before texts: no value can pass itself off as the end of another.
  std::string out = base::Concat(match.method(), "\n");
  for (const auto& [kind, type, name, value] : all) {
    out += base::Concat(kind, type, ' ', name.size(), ' ', name, ' ', value.size(), ' ', value, '\n');
  }
  return out;
}

}  // namespace

RouteMatch NormaliseMatch(const RouteMatch& match) {
  RouteMatch out;
  *out.mutable_path() = NormalisePath(match.path());
  out.set_method(match.method());
  std::set<std::string> seen;
  for (const HeaderMatch& header : match.headers()) {
    const std::string name = base::LowerAscii(header.name());
    if (!seen.insert(name).second) continue;
    HeaderMatch& added = *out.add_headers();
    added = header;
    added.set_name(name);
    if (added.type() == v1::VALUE_MATCH_TYPE_UNSPECIFIED) added.set_type(v1::VALUE_MATCH_TYPE_EXACT);
  }
  seen.clear();
  for (const QueryParamMatch& query : match.query_params()) {
    if (!seen.insert(query.name()).second) continue;
    QueryParamMatch& added = *out.add_query_params();
    added = query;
    if (added.type() == v1::VALUE_MATCH_TYPE_UNSPECIFIED) added.set_type(v1::VALUE_MATCH_TYPE_EXACT);
  }
  return out;
}

std::vector<RouteMatch> MatchesOf(const v1::RouteRule& rule) {
  std::vector<RouteMatch> out;
  for (const RouteMatch& match : rule.matches())
    out.push_back(NormaliseMatch(match));
  if (out.empty()) out.push_back(NormaliseMatch({}));
  return out;
}

void SortByPrecedence(std::vector<ResolvedMatch>& matches, const std::vector<ResolvedRule>& rules) {
  std::sort(matches.begin(), matches.end(),
            [&rules](const ResolvedMatch& a, const ResolvedMatch& b) { return ComesBefore(a, b, rules); });
}

// A match before another one with the same path has at least as many conditions in each column, so it can only cover
// the other by having the same. The one case of different paths: PathPrefix "/" without conditions covers every
// expression, since all of them come after it.
std::vector<Shadow> FindShadows(const std::vector<ResolvedMatch>& matches) {
  std::vector<Shadow> out;
  std::map<std::tuple<std::string, int, std::string, std::string>, size_t> first;
  std::map<std::string, size_t> everything;
  for (size_t i = 0; i < matches.size(); ++i) {
    const RouteMatch& match = matches[i].match;
    const std::string conditions = Conditions(match);
    const auto everything_before = everything.find(matches[i].hostname);
    const auto [same, is_first] =
        first.emplace(std::tuple(matches[i].hostname, match.path().type(), match.path().value(), conditions), i);
    if (!is_first) {
      out.push_back({i, same->second});
    } else if (match.path().type() == v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION && everything_before != everything.end()) {
      out.push_back({i, everything_before->second});
    }
    const bool is_everything = match.path().type() == v1::PATH_MATCH_TYPE_PATH_PREFIX && match.path().value().empty() &&
                               match.method().empty() && match.headers().empty() && match.query_params().empty();
    if (is_everything) everything.emplace(matches[i].hostname, i);
  }
  return out;
}

}  // namespace portico::resolve
