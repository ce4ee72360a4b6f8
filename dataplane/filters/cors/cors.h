#ifndef PORTICO_DATAPLANE_FILTERS_CORS_CORS_H_
#define PORTICO_DATAPLANE_FILTERS_CORS_CORS_H_

#include <string>
#include <string_view>
#include <vector>

#include "dataplane/http/fields.h"

namespace portico::cors {

// Whom a rule lets read its answers. Immutable, any thread.
struct OriginPattern {
  std::string scheme;     // "https://"
  std::string rest;       // host and port, "shop.example:8443"; without the scheme's own port, as browsers write it
  bool any_name = false;  // of every name below: `rest` is ".shop.example"
};

struct CorsConfig {
  bool any_origin = false;
  std::vector<OriginPattern> origins;
  bool credentials = false;
  // As they are sent, joined by ", "; "*" for all; "": none.
  std::string methods;
  std::string headers;
  std::string exposed;
  std::string max_age;  // seconds

  // Whether an answer is the same for every origin.
  bool same_for_all() const { return any_origin && !credentials; }
};

// A value of the field `origin` (RFC 6454 section 7) against the patterns, byte by byte: browsers write scheme and host
// in lower case. "null", which any page can have itself called, agrees with "any" alone, and never with credentials.
bool AllowsOrigin(const CorsConfig& config, std::string_view origin);

// What a preflight gets that `origin` sends: nothing if it may not. `method` and `headers` are what it asks for; with
// credentials browsers take "*" for a name, so then they are told what they asked for if everything is allowed.
// A list that is none (of tokens) is not repeated.
void AddPreflightFields(const CorsConfig& config, std::string_view origin, std::string_view method,
                        std::string_view headers, http::Fields& fields);

// What any other request's answer gets, origin "" if it has none. The origin server's own fields of the protocol are
// removed first: there is one policy, and it is the rule's. `vary` has Origin where the answer depends on it, whoever
// asks; where it does not, whoever asks is told "*".
void EditResponseFields(const CorsConfig& config, std::string_view origin, http::Fields& fields);

}  // namespace portico::cors

#endif  // PORTICO_DATAPLANE_FILTERS_CORS_CORS_H_
