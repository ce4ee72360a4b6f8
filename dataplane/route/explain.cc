#include "dataplane/route/explain.h"

#include "api/base/text.h"

namespace portico::route {
namespace {

std::string PathText(const RuleMatch& match) {
  switch (match.path_kind) {
    case PathKind::kExact:
      return base::Concat("Exact ", match.path);
    case PathKind::kPrefix:
      return base::Concat("PathPrefix ", match.path.empty() ? "/" : match.path);
    case PathKind::kRegex:
      return base::Concat("RegularExpression ", match.path);
  }
  return "";
}

std::string HostText(const std::string& hostname) {
  return hostname.empty() ? "any host" : hostname;
}

template <typename Condition>
std::string ConditionText(std::string_view kind, const Condition& condition) {
  return base::Concat(kind, " ", condition.name, condition.regex == nullptr ? " = " : " =~ ", condition.value);
}

std::string HeaderReason(const RuleMatch& match, const RequestView& request) {
  for (const HeaderCondition& condition : match.headers) {
    RuleMatch alone;
    alone.headers = {condition};
    if (ConditionsMiss(alone, request) == Miss::kNone) continue;
    const bool missing = !request.fields.Combined(condition.name);
    return base::Concat("it wants ", ConditionText("header", condition),
                        missing ? ", which the request has not" : ", the request's differs");
  }
  return "";
}

std::string QueryReason(const RuleMatch& match, const RequestView& request) {
  for (const QueryCondition& condition : match.queries) {
    RuleMatch alone;
    alone.queries = {condition};
    if (ConditionsMiss(alone, request) == Miss::kNone) continue;
    return base::Concat("it wants ", ConditionText("query parameter", condition));
  }
  return "";
}

// Why `match` comes after `winner`, which agrees with the same request: the first column of the order that differs.
std::string PrecedenceReason(const RuleMatch& match, const RuleMatch& winner) {
  if (match.hostname != winner.hostname) {
    return base::Concat(HostText(winner.hostname), " is more specific than ", HostText(match.hostname));
  }
  if (match.path_kind != winner.path_kind) {
    return base::Concat(PathText(winner), " goes before ", PathText(match));
  }
  if (match.path.size() != winner.path.size() && match.path_kind == PathKind::kPrefix) {
    return base::Concat(PathText(winner), " is longer");
  }
  if (match.method.empty() != winner.method.empty()) return "the winner names the method";
  if (match.headers.size() != winner.headers.size()) return "the winner has more header conditions";
  if (match.queries.size() != winner.queries.size()) return "the winner has more query conditions";
  if (match.rule->route_age != winner.rule->route_age) return "the winner's Route is older";
  if (match.rule->route != winner.rule->route) return "the winner's Route is first by name";
  return "the winner is first in its Route";
}

std::string Reason(const RuleMatch& match, Miss miss, const RequestView& request, const RuleMatch* winner) {
  switch (miss) {
    case Miss::kHost:
      return base::Concat("it is for ", match.hostname);
    case Miss::kPath:
      return base::Concat(request.path, " is not ", PathText(match));
    case Miss::kMethod:
      return base::Concat("it is for ", match.method);
    case Miss::kHeader:
      return HeaderReason(match, request);
    case Miss::kQuery:
      return QueryReason(match, request);
    case Miss::kNone:
      break;
  }
  // Without a winner there can't be a match that agrees: the table and FirstMiss are compared by route_table_test.
  return winner == nullptr ? "" : PrecedenceReason(match, *winner);
}

}  // namespace

Explanation Explain(const RouteTable& table, const RequestView& request) {
  Explanation out;
  out.listener = table.FindListener(request.host);
  out.winner = table.Match(request);
  for (const ListenerRoutes& listener : table.listeners()) {
    for (const auto& [shared, same] : listener.matches) {
      const RuleMatch& match = *shared;
      if (&match == out.winner) continue;
      if (&listener != out.listener) {
        out.losers.push_back(
            {&match, Miss::kHost,
             base::Concat("it is on listener ", listener.name, ", which is for ", HostText(listener.hostname))});
        continue;
      }
      const Miss miss = FirstMiss(match, request);
      out.losers.push_back({&match, miss, Reason(match, miss, request, out.winner)});
    }
  }
  return out;
}

std::string Describe(const RuleMatch& match) {
  std::string out = match.method.empty() ? PathText(match) : base::Concat(match.method, " ", PathText(match));
  for (const HeaderCondition& header : match.headers)
    out += base::Concat(", ", ConditionText("header", header));
  for (const QueryCondition& query : match.queries)
    out += base::Concat(", ", ConditionText("query parameter", query));
  return base::Concat(out, ", on ", HostText(match.hostname));
}

}  // namespace portico::route
