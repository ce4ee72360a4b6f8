#ifndef PORTICO_DATAPLANE_CRYPTO_KEY_PAIR_H_
#define PORTICO_DATAPLANE_CRYPTO_KEY_PAIR_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/base/time.h"

namespace portico::crypto {

// A certificate chain with its private key, as a listener uses it: valid by construction (the rules are those of
// api/check/key_pair.h). A value; it holds a secret, so it is not printed, compared or put into a dump.
//
//   absl::StatusOr<KeyPair> pair = KeyPair::Parse(certificate_pem, private_key_pem);
//   pair->dns_names();      // {"shop.example", "*.shop.example"}
class KeyPair {
 public:
  static absl::StatusOr<KeyPair> Parse(std::string_view certificate_pem, std::string_view private_key_pem);

  // DER, the server's own certificate first.
  const std::vector<std::string>& certificates() const { return certificates_; }
  // DER of PKCS #8.
  const std::string& private_key() const { return private_key_; }
  // The subject's alternative DNS names, lower case, in their order; a common name is none (RFC 9525 section 2).
  const std::vector<std::string>& dns_names() const { return dns_names_; }
  // When the server's own certificate begins and ends to be valid.
  base::WallTime not_before() const { return not_before_; }
  base::WallTime not_after() const { return not_after_; }
  // SHA-256 of the server's own certificate, as hexadecimal text: what may be shown instead of it.
  const std::string& fingerprint() const { return fingerprint_; }

 private:
  KeyPair() = default;

  std::vector<std::string> certificates_;
  std::string private_key_;
  std::vector<std::string> dns_names_;
  base::WallTime not_before_;
  base::WallTime not_after_;
  std::string fingerprint_;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_KEY_PAIR_H_
