#ifndef PORTICO_DATAPLANE_ROUTE_MATCH_H_
#define PORTICO_DATAPLANE_ROUTE_MATCH_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/http/fields.h"
#include "dataplane/route/rule.h"
#include "re2/re2.h"

namespace portico::route {

// What of a request is looked at. All of it must outlive the call.
struct RequestView {
  std::string_view method;
  std::string_view host;   // HostOf(authority), lower case
  std::string_view path;   // normal (path.h), without query
  std::string_view query;  // as sent
  const http::Fields& fields;
};

using Regex = std::shared_ptr<const RE2>;  // nullptr: compare byte by byte

enum class PathKind : uint8_t { kExact, kPrefix, kRegex };

struct HeaderCondition {
  std::string name;  // lower case
  std::string value;
  Regex regex;  // of the whole value
};

struct QueryCondition {
  std::string name;
  std::string value;
  Regex regex;  // of the whole value
};

// Why a match does not agree with a request: the first condition that fails, in this order.
enum class Miss : uint8_t { kNone, kHost, kPath, kMethod, kHeader, kQuery };

// One match of a rule on one hostname. Immutable.
struct RuleMatch {
  std::string hostname;  // "*.example.com" every name below, "" any
  PathKind path_kind = PathKind::kPrefix;
  std::string path;  // a prefix without '/' at its end: "/" is ""
  Regex path_regex;
  std::string method;  // "" any
  std::vector<HeaderCondition> headers;
  std::vector<QueryCondition> queries;
  size_t index = 0;  // its place in the rule
  std::shared_ptr<const Rule> rule;

  // For ReplacePrefixMatch.
  size_t prefix_bytes() const { return path_kind == PathKind::kPrefix ? path.size() : 0; }
};

bool HostAgrees(std::string_view hostname, std::string_view host);
bool PathAgrees(const RuleMatch& match, std::string_view path);
// Method, header fields and query alone: the table has looked at host and path.
Miss ConditionsMiss(const RuleMatch& match, const RequestView& request);
// All of it.
Miss FirstMiss(const RuleMatch& match, const RequestView& request);

// The order of precedence on one listener: that of api/resolve (resolve::ComesBefore), for matches that are decoded.
// Total: no two of a listener are the same place in a Route on the same hostname.
bool ComesBefore(const RuleMatch& a, const RuleMatch& b);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_MATCH_H_
