#ifndef PORTICO_DATAPLANE_CACHE_KEY_H_
#define PORTICO_DATAPLANE_CACHE_KEY_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/cache/policy.h"
#include "dataplane/http/fields.h"

namespace portico::cache {

// The target URI of a request (RFC 9110 section 7.1), as the client asked for it: before a rule rewrote anything, since
// that is what an unsafe request invalidates and what an operator purges. The path is the normal one
// (route/path.h) by which rules are chosen and origins asked. What a rule makes of the URI is no part of it: a stored
// response also says what it answers (Identity).
struct TargetUri {
  std::string_view scheme;     // of the connection, "http" or "https", whatever the client calls it
  std::string_view authority;  // lower case; "" has no key: nothing is stored
  std::string_view path;
  std::string_view query;
  bool has_query = false;
};

// "http://shop.example/a?b": the scheme's own port is left out (RFC 9110 section 4.2.3).
std::string KeyOf(const TargetUri& uri);

// The other URIs that a response to an unsafe request makes invalid (RFC 9111 section 4.4): what its `location` and
// `content-location` name, as keys, if that is of the same authority. What can't be read names nothing.
std::vector<std::string> OtherKeys(const TargetUri& uri, const http::Fields& response);

bool Covers(const PurgeScope& scope, std::string_view key);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_KEY_H_
