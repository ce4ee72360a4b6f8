#ifndef PORTICO_API_RESOLVE_PRECEDENCE_H_
#define PORTICO_API_RESOLVE_PRECEDENCE_H_

#include <compare>
#include <map>
#include <string>
#include <vector>

#include "api/portico/v1/route.pb.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// A match in the one form that everything after compares: path given, PathPrefix without the '/' at its end ("/" is
// ""), header names in lower case, of two conditions with the same name only the first, types given.
portico::v1::RouteMatch NormaliseMatch(const portico::v1::RouteMatch& match);

// The matches of a rule, normalised; one that matches every path if it has none.
std::vector<portico::v1::RouteMatch> MatchesOf(const portico::v1::RouteRule& rule);

// ComesBefore, of resolved.h, is Gateway API's order: hostname (exact, longest wildcard, any), path (exact, longest
// prefix, regular expression), method, number of headers, number of query parameters, then the oldest Route
// (creation_revision), its namespace and name, the rule's place, the match's place. Total: no two of a listener are
// equal. Of two paths that no request has both of, the one that is first as a text comes first.

// Matches of one listener that stand together in that order: of one hostname and path or, of regular expressions, one
// hostname. Only these can be in each other's shadow, except for MatchesEverything.
struct MatchGroup {
  std::string hostname;
  portico::v1::PathMatchType type = portico::v1::PATH_MATCH_TYPE_PATH_PREFIX;
  std::string path;  // "" of regular expressions
  auto operator<=>(const MatchGroup&) const = default;
};
MatchGroup GroupOf(const ResolvedMatch& match);

// PathPrefix "/" without conditions: all regular expressions of its hostname come after it.
bool MatchesEverything(const ResolvedMatch& match);

// The matches of a group that can never win, because one before them agrees with every request that they agree with;
// and who that is. Only where one other match is enough for that, and two regular expressions count as the same if
// their text is.
std::map<SharedMatch, SharedMatch> FindShadows(const Matches& matches, const MatchGroup& group);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_PRECEDENCE_H_
