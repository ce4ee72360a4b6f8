#ifndef PORTICO_DATAPLANE_ROUTE_PATH_H_
#define PORTICO_DATAPLANE_ROUTE_PATH_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"

namespace portico::route {

// A request's path in the one spelling by which rules are chosen, policies decide and origins are asked. What differs
// from the path as sent is a way around a rule, so the spelling must be one that nobody further on understands
// otherwise (RFC 3986 section 6.2.2):
//
// - An encoded unreserved character is decoded (/%73ecret is /secret); the digits of what stays encoded are upper case.
// - Repeated slashes are one: most origins take them so.
// - Refused (400): a dot segment, also encoded and also where a backslash, ";" or one of "%2F", "%5C" and "%3B" ends it
//   (clients resolve "..", so whoever sends it means harm; to resolve it here would hide that); an encoded NUL; '%'
//   without two digits.
// - %2F stays what it is: data inside a segment, never a separator. So does everything else.
// "*" (OPTIONS) is left alone; a path that does not begin with '/' is refused.
//
// NeedsNormalising is the quick look at every request; false: the path is normal as it stands.
bool NeedsNormalising(std::string_view path);

// kInvalidArgument: why the path is refused, in words fit for a client.
struct NormalisedPath {
  absl::Status status;
  std::string path;
};
NormalisedPath NormalisePath(std::string_view path);

// How else origins may read a normal path: without the path itself, each reading once; empty for nearly all paths. To
// some "\", "%2F" and "%5C" separate segments. Some drop what follows ";" (or "%3B") in a segment, Java's matrix
// parameters: before they decode, so that a parameter ends at the next "/" alone, or after. Some do both. Whoever
// forbids a path forbids each of its readings. None of them has a dot segment, since a normal path has none in any
// reading.
//   /admin;x/a   ->  /admin/a        /admin%2Fa  ->  /admin/a        /a%20b  ->  nothing
//   /admin;x%2Fy ->  /admin;x/y, /admin, /admin/y
std::vector<std::string> OtherReadings(std::string_view path);

// "/a?b=c" is "/a" and "b=c". The query is what is after the first '?'; has_query tells "/a?" from "/a".
struct Target {
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};
Target SplitTarget(std::string_view target);

// The host of an authority, as hostnames are compared: without port, without the dot at the end of a full name. The
// authority is lower case already and well-formed (http/syntax.h).
std::string_view HostOf(std::string_view authority);

// application/x-www-form-urlencoded: '+' is a space, %XX is decoded, a '%' without two digits is itself.
std::string DecodeForm(std::string_view text);

// The first value of that name in a query, decoded so. nullopt: there is none. "a" alone is "a" with an empty value.
std::optional<std::string> FindQueryParameter(std::string_view query, std::string_view name);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_PATH_H_
