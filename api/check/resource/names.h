#ifndef PORTICO_API_CHECK_RESOURCE_NAMES_H_
#define PORTICO_API_CHECK_RESOURCE_NAMES_H_

#include <string>
#include <string_view>

namespace portico::check {

// The grammar of names in resources. Pure.

// A DNS label in lower case: letters, digits, '-' inside, at most 63 bytes (RFC 1035 section 2.3.4, RFC 1123).
bool IsLabel(std::string_view text);
// Labels with dots between, at most 253 bytes.
bool IsSubdomain(std::string_view text);
// A subdomain, or "*." and one.
bool IsHostname(std::string_view text);
// RFC 9110 section 5.6.2.
bool IsToken(std::string_view text);
// Fields of the connection and of framing (RFC 9110 section 7.6.1), and host: editing one is request smuggling by
// configuration.
bool IsReservedField(std::string_view name);
// A field's name: a token of at most 256 bytes. A field's value: at most 4096 bytes, no control character.
bool IsFieldName(std::string_view text);
bool IsFieldValue(std::string_view text);
// What a rewrite or redirect puts in the place of a path: begins with /, at most 1024 bytes of visible ASCII without
// the characters ? and #. Anything else would end the path, or the request line, early (RFC 9112 section 3.2).
bool IsReplacementPath(std::string_view text);
// "*", or scheme://host[:port] as browsers write an origin (RFC 6454 section 6.2), the host also "*." and a name.
bool IsCorsOrigin(std::string_view text);
// SHA-256 in hexadecimal digits, lower case; not that of an empty text, which anybody could show.
bool IsSha256(std::string_view text);
// "name" or "namespace/name".
bool IsQualifiedName(std::string_view text);
// IPv4 or IPv6 without brackets, port or zone.
bool IsIpAddress(std::string_view text);
// What two spellings of one address have in common: its bytes; those of IPv4 for IPv4-mapped IPv6, as dataplane/net
// takes it. Of a text that is no address: itself.
std::string AddressIdentity(std::string_view text);
// CIDR without bits below the prefix, or one address: what dataplane/net takes.
bool IsNetwork(std::string_view text);
// The methods that the language knows (Gateway API's HTTPMethod).
bool IsMethod(std::string_view text);
inline constexpr std::string_view kMethodsWords =
    "must be GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or PATCH";

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_NAMES_H_
