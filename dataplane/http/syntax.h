#ifndef PORTICO_DATAPLANE_HTTP_SYNTAX_H_
#define PORTICO_DATAPLANE_HTTP_SYNTAX_H_

#include <optional>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/http/fields.h"

// The grammar that both codecs check by: pure functions over text. Strict; where they are stricter or more lenient than
// the RFC, it says so here.

namespace portico::http {

// RFC 9110 section 5.6.2; never empty.
bool IsToken(std::string_view text);
// A field name as HTTP/2 has it: a token without upper-case letters (RFC 9113 section 8.2.1).
bool IsLowercaseToken(std::string_view text);
// RFC 9110 section 5.5: visible ASCII, space, horizontal tab and bytes from 0x80 on (obs-text). No other control byte.
// Space around the value is the caller's to trim or to refuse.
bool IsFieldValue(std::string_view text);
// Without spaces and tabs around it (OWS).
std::string_view TrimOws(std::string_view text);

// host [":" port] without user information (RFC 9110 section 4.2.4 lets us refuse it). The host is an IP literal in
// brackets (without zone) or letters, digits, "-", ".", "_" and "~"; stricter than RFC 3986, whose reg-name also has
// percent-encoding and sub-delims, which no DNS name has and which parsers disagree about. The port is 1 to 5 digits up
// to 65535, and an empty one is refused.
bool IsAuthority(std::string_view text);

// Bytes that a request target may have: 0x21 to 0x7e but "#" (a fragment never travels). So no control byte, space,
// DEL or non-ASCII byte. `"<>\^`{|}` are not in RFC 3986's grammar but pass, as in nginx and HAProxy: clients send
// them.
bool IsTargetText(std::string_view text);

// The members of a comma-separated list (RFC 9110 section 5.6.1), trimmed, empty ones skipped; takes one off `rest`.
// nullopt: no more. (No quoted strings: for lists of tokens.)
std::optional<std::string_view> NextListMember(std::string_view& rest);

// A copy in lower case, in the arena.
std::string_view CopyLowercase(base::Arena& arena, std::string_view text);

// Fields that belong to one connection and never travel on (RFC 9110 section 7.6.1; not te, whose "trailers" does).
bool IsConnectionSpecific(FieldId id);
// Fields that a `connection` option must not name: to strip them would change what the message means, how long it is or
// who it is from. Such a message is refused (RFC 9110 section 7.6.1: MUST NOT be sent).
bool IsProtectedFromConnection(FieldId id);
// Fields that don't count in a trailer section: framing, routing, authentication, content format (RFC 9110 section
// 6.5.1). Dropped on receipt and on sending.
bool IsForbiddenInTrailers(FieldId id);

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_SYNTAX_H_
