#ifndef PORTICO_DATAPLANE_ROUTE_REWRITE_H_
#define PORTICO_DATAPLANE_ROUTE_REWRITE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/route/path.h"
#include "dataplane/route/rule.h"

namespace portico::route {

// URLRewrite and RequestRedirect of Gateway API as pure functions. Paths are normal (NormalisePath) and without query;
// `prefix_bytes` is how much of the path the winning PathPrefix matched, without a '/' at its end
// (RuleMatch::prefix_bytes).

// ReplaceFullPath puts `value` in the place of the path. ReplacePrefixMatch puts it in the place of the prefix, slashes
// at its end meaning nothing:
//   path      prefix  value    result
//   /foo/bar  /foo    /xyz     /xyz/bar
//   /foo/bar  /foo/   /xyz/    /xyz/bar
//   /foo      /foo    /xyz     /xyz
//   /foo/     /foo    /xyz     /xyz/
//   /foo/bar  /foo    ""       /bar
//   /foo      /foo    / or ""  /
std::string RewritePath(const PathRewrite& rewrite, std::string_view path, size_t prefix_bytes);

// What a redirect needs to know of the request.
struct RedirectContext {
  std::string_view scheme;     // "http" or "https"
  std::string_view authority;  // as in http::RequestHead
  Target target;               // path normal
  size_t prefix_bytes = 0;
  uint16_t listener_port = 0;
};

// The value of `location`: absolute, the query kept. The port is the redirect's; if it has none, the well-known one of
// the redirect's scheme; if it has neither, the listener's. It is left out where it is the scheme's own. A request
// without authority (HTTP/1.0) gets a path alone, unless the redirect names a host.
std::string Location(const Redirect& redirect, const RedirectContext& context);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_REWRITE_H_
