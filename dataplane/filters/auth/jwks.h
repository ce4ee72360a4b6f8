#ifndef PORTICO_DATAPLANE_FILTERS_AUTH_JWKS_H_
#define PORTICO_DATAPLANE_FILTERS_AUTH_JWKS_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/crypto/verification_key.h"

namespace portico::auth {

// A JSON Web Key Set (RFC 7517 section 5) as keys that check signatures. Immutable; any number of threads read it.
//
// Two kinds of trouble are told apart. A key that is meant for something else (an unknown `kty`, curve or `alg`,
// `use: enc`, `key_ops` without "verify") is passed over with a warning, as section 5 says, since issuers publish such
// keys beside their signing ones. A key that is meant for us and is wrong refuses the whole set: missing or
// non-canonical components, RSA under 2048 bits, HMAC under 32 bytes, `alg` that does not fit `kty`, a private key in
// the set (member "d"), two keys of one `kid`, two keys without one. A set without a usable key is refused too.
class Jwks {
 public:
  static constexpr size_t kBytesMax = 64 * 1024;  // as Secret says
  static constexpr size_t kKeysMax = 100;         // issuers publish 2 to 8
  static constexpr size_t kKidBytesMax = 256;

  struct Key {
    std::string kid;  // "": it has none
    crypto::VerificationKey key;
  };

  static absl::StatusOr<Jwks> Parse(std::string_view json);

  const std::vector<Key>& keys() const { return keys_; }
  // Which keys were passed over and why, in words for the log.
  const std::vector<std::string>& warnings() const { return warnings_; }
  // nullptr: no key of this name. `kid` is not "".
  const Key* Find(std::string_view kid) const;

 private:
  std::vector<Key> keys_;
  std::vector<std::string> warnings_;
};

}  // namespace portico::auth

#endif  // PORTICO_DATAPLANE_FILTERS_AUTH_JWKS_H_
