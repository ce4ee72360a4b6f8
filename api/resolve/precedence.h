#ifndef PORTICO_API_RESOLVE_PRECEDENCE_H_
#define PORTICO_API_RESOLVE_PRECEDENCE_H_

#include <string>
#include <string_view>
#include <vector>

#include "api/portico/v1/route.pb.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// A match in the one form that everything after compares: path given, PathPrefix without the '/' at its end ("/" is
// ""), header names in lower case, of two conditions with the same name only the first, types given.
portico::v1::RouteMatch NormaliseMatch(const portico::v1::RouteMatch& match);

// The matches of a rule, normalised; one that matches every path if it has none.
std::vector<portico::v1::RouteMatch> MatchesOf(const portico::v1::RouteRule& rule);

// Puts matches of one listener in Gateway API's order: hostname (exact, longest wildcard, any), path (exact, longest
// prefix, regular expression), method, number of headers, number of query parameters, then the oldest Route
// (creation_revision), its namespace and name, the rule's place, the match's place. Total: no two are equal.
void SortByPrecedence(std::vector<ResolvedMatch>& matches, const std::vector<ResolvedRule>& rules);

// Matches that can never win, because one before them agrees with every request that they agree with. Only where one
// other match is enough for that, and two regular expressions count as the same if their text is.
// Returns pairs of places in `matches` (sorted): in the shadow, of whom.
struct Shadow {
  size_t match;
  size_t by;
};
std::vector<Shadow> FindShadows(const std::vector<ResolvedMatch>& matches);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_PRECEDENCE_H_
