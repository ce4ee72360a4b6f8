#include "api/resolve/precedence.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

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
std::tuple<int, int64_t, std::string_view> PathOrder(v1::PathMatchType type, std::string_view path) {
  if (type == v1::PATH_MATCH_TYPE_EXACT) return {0, 0, path};
  if (type == v1::PATH_MATCH_TYPE_PATH_PREFIX) return {1, -static_cast<int64_t>(path.size()), path};
  return {2, 0, ""};
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

bool ComesBefore::operator()(const SharedMatch& a, const SharedMatch& b) const {
  if (a->hostname != b->hostname) return MoreSpecificHostname(a->hostname, b->hostname);
  const auto path_order = [](const PathMatch& path) { return PathOrder(path.type(), path.value()); };
  const auto order_a = path_order(a->match.path()), order_b = path_order(b->match.path());
  if (order_a != order_b) return order_a < order_b;
  const auto rank = [](const ResolvedMatch& match) {
    const ResolvedRule& rule = *match.rule;
    return std::tuple(match.match.method().empty() ? 1 : 0, -match.match.headers_size(),
                      -match.match.query_params_size(), rule.resource->route().metadata().creation_revision(),
                      std::tie(rule.route.name_space), std::tie(rule.route.name), rule.index, match.index);
  };
  return rank(*a) < rank(*b);
}

bool ComesBefore::operator()(const SharedMatch& match, const MatchGroup& group) const {
  if (match->hostname != group.hostname) return MoreSpecificHostname(match->hostname, group.hostname);
  return PathOrder(match->match.path().type(), match->match.path().value()) < PathOrder(group.type, group.path);
}

MatchGroup GroupOf(const ResolvedMatch& match) {
  const PathMatch& path = match.match.path();
  const bool regex = path.type() == v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION;
  return {match.hostname, path.type(), regex ? "" : path.value()};
}

bool MatchesEverything(const ResolvedMatch& match) {
  return match.match.path().type() == v1::PATH_MATCH_TYPE_PATH_PREFIX && match.match.path().value().empty() &&
         match.match.method().empty() && match.match.headers().empty() && match.match.query_params().empty();
}

// A match before another one with the same path has at least as many conditions in each column, so it can only cover
// the other by having the same. The one case of different paths: PathPrefix "/" without conditions covers every
// expression, since all of them come after it.
std::map<SharedMatch, SharedMatch> FindShadows(const Matches& matches, const MatchGroup& group) {
  const auto visit = [&matches](const MatchGroup& of, const auto& body) {
    for (auto place = matches.lower_bound(of); place != matches.end() && GroupOf(*place->second) == of; ++place)
      body(place->second);
  };
  SharedMatch everything;
  if (group.type == v1::PATH_MATCH_TYPE_REGULAR_EXPRESSION) {
    visit({group.hostname, v1::PATH_MATCH_TYPE_PATH_PREFIX, ""}, [&everything](const SharedMatch& match) {
      if (everything == nullptr && MatchesEverything(*match)) everything = match;
    });
  }
  std::map<SharedMatch, SharedMatch> shadows;
  std::map<std::pair<std::string, std::string>, SharedMatch> first;
  visit(group, [&](const SharedMatch& match) {
    const auto [same, is_first] = first.try_emplace({match->match.path().value(), Conditions(match->match)}, match);
    if (!is_first) {
      shadows.emplace(match, same->second);
    } else if (everything != nullptr) {
      shadows.emplace(match, everything);
    }
  });
  return shadows;
}

}  // namespace portico::resolve
