#ifndef PORTICO_CONTROLPLANE_CRYPTO_BEARER_H_
#define PORTICO_CONTROLPLANE_CRYPTO_BEARER_H_

#include <string>
#include <string_view>

namespace portico::openssl {

// Random texts that open something for whoever shows them: a token of the control plane, a caller's key. Only their
// digests are kept. With 256 random bits nobody guesses one, so a plain SHA-256 is enough: there is nothing to slow
// down.

// "PREFIX_" and 43 digits of base64url: the 32 random bytes. The prefix tells people, and programs that look for
// secrets in the wrong places, what it is.
std::string NewBearer(std::string_view prefix);

// SHA-256 as 64 hexadecimal digits in lower case: what is stored of one.
std::string BearerDigest(std::string_view text);

// Whether two texts are equal, in a time that tells nothing but whether their lengths are.
bool SameBytes(std::string_view a, std::string_view b);

}  // namespace portico::openssl

#endif  // PORTICO_CONTROLPLANE_CRYPTO_BEARER_H_
