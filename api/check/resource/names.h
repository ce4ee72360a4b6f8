#ifndef PORTICO_API_CHECK_RESOURCE_NAMES_H_
#define PORTICO_API_CHECK_RESOURCE_NAMES_H_

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
// The methods that the language knows (Gateway API's HTTPMethod).
bool IsMethod(std::string_view text);
inline constexpr std::string_view kMethodsText = "GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or PATCH";

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_NAMES_H_
