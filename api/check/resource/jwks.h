#ifndef PORTICO_API_CHECK_RESOURCE_JWKS_H_
#define PORTICO_API_CHECK_RESOURCE_JWKS_H_

#include <string_view>

#include "absl/status/status.h"

namespace portico::check {

// Is it a JSON Web Key Set (RFC 7517 section 5) whose signatures the gateway can check? kInvalidArgument names the key
// by its place, "keys[2]: …", and never shows one.
//
// As dataplane/filters/auth reads it (a test compares the two): keys meant for something else (an unknown kty, curve or
// alg, `use: enc`, key_ops without "verify") are passed over, because issuers publish them beside the ones that sign;
// but one must be left. A key meant for us is refused if it is wrong: a component missing, not base64url or of a wrong
// length, an alg that does not fit the kty, a private key, a kid that comes again. Whether a point lies on its curve is
// for the data plane to find.
absl::Status CheckJwks(std::string_view text);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_JWKS_H_
