#ifndef PORTICO_DATAPLANE_HTTP_MESSAGE_H_
#define PORTICO_DATAPLANE_HTTP_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/http/fields.h"

namespace portico::http {

// The one vocabulary of messages: every codec reads into it and writes from it, so any downstream protocol meets any
// upstream protocol. Texts live in the arena of `fields`.

enum class Version : uint8_t { kHttp10, kHttp11, kHttp2 };

// How long the content is, as far as the head tells (RFC 9110 section 8.6, RFC 9112 section 6, RFC 9113 section 8.1.1).
struct ContentFraming {
  // The message has no content at all, not even a trailer section: it ends with its head.
  bool ends_with_head = false;
  // From content-length; nullopt: known only at the end. (content-length stays a field as well, exactly as it came.)
  std::optional<uint64_t> length;
  // A response whose end is that of its connection (RFC 9112 section 6.3, step 8): nobody can tell if it is whole.
  bool ends_with_connection = false;
};

// RFC 9110 sections 6.4.1 and 15.3.5: a response of this status has no content, whatever its fields say.
constexpr bool NeverHasContent(int status) {
  return status < 200 || status == 204 || status == 304;
}

// Codecs deliver heads with: no connection-specific fields (RFC 9110 section 7.6.1: connection and what it names,
// keep-alive, proxy-connection, te except trailers, transfer-encoding, upgrade), no pseudo-fields and no host field;
// at most one content-length. Codecs write heads that obey the same.
struct RequestHead {
  explicit RequestHead(base::Arena& arena) : fields(arena) {}

  std::string_view method;     // case-sensitive token
  std::string_view scheme;     // "http" or "https"
  std::string_view authority;  // host[:port], lower case host; "" only from HTTP/1.0 without host
  std::string_view path;       // absolute path with query, as sent ("/a%20b?x=1"), or "*" for OPTIONS
  Fields fields;
  ContentFraming framing;
  Version version = Version::kHttp11;
  bool expects_continue = false;  // expect: 100-continue (the field itself is removed)
};

struct ResponseHead {
  explicit ResponseHead(base::Arena& arena) : fields(arena) {}

  int status = 0;  // 100 to 599
  Fields fields;
  ContentFraming framing;
  Version version = Version::kHttp11;
};

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_MESSAGE_H_
