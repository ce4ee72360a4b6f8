#ifndef PORTICO_DATAPLANE_CRYPTO_BASE64URL_H_
#define PORTICO_DATAPLANE_CRYPTO_BASE64URL_H_

#include <optional>
#include <string>
#include <string_view>

namespace portico::crypto {

// Base64url as JOSE has it (RFC 7515 section 2): the alphabet of RFC 4648 section 5, no padding, no white space. One
// text for one value: unused bits of the last character must be zero (RFC 4648 section 3.5), or a token could be
// changed without breaking its signature and so slip past a list of revoked ones.
std::optional<std::string> DecodeBase64Url(std::string_view text);
std::string EncodeBase64Url(std::string_view bytes);

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_BASE64URL_H_
