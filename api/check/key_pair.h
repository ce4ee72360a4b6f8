#ifndef PORTICO_API_CHECK_KEY_PAIR_H_
#define PORTICO_API_CHECK_KEY_PAIR_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace portico::check {

// Does a private key belong to a certificate, and can a listener use the two? Whoever validates a Secret asks. There is
// one implementation for each TLS library, because the two never share a process: crypto::BoringKeyPairChecker in the
// proxy, openssl::KeyPairChecker in the control plane and porticoctl. test/support/key_pair_cases.h is the table that
// both must agree on.
//
// What is accepted:
// - `certificate_pem`: 1 to kChainCertificatesMax CERTIFICATE blocks, the server's own first, each signed by the next
//   (RFC 8446 section 4.4.2 allows more; a chain out of order is nearly always a mistake that some clients forgive);
// - `private_key_pem`: one PRIVATE KEY (PKCS #8), RSA PRIVATE KEY or EC PRIVATE KEY block, not encrypted, and the key
// of
//   the first certificate: RSA of kRsaBitsMin to kRsaBitsMax bits, or ECDSA on P-256 or P-384. Ed25519 is refused: no
//   browser takes it from a server.
// Dates are not looked at: a certificate that has run out is a warning of whoever has a clock.
inline constexpr size_t kPemBytesMax = 1 << 20;      // the bound of Secret's fields
inline constexpr size_t kChainCertificatesMax = 10;  // real chains have 2 to 4
inline constexpr int kRsaBitsMin = 2048;             // 112 bits of strength: NIST SP 800-57, CA/Browser Forum 6.1.5
inline constexpr int kRsaBitsMax = 8192;             // a signature of more costs over 10 ms of a worker

class KeyPairChecker {
 public:
  virtual ~KeyPairChecker() = default;
  // kInvalidArgument: what is wrong with which of the two, in words fit for a user, without any byte of the key.
  virtual absl::Status Check(std::string_view certificate_pem, std::string_view private_key_pem) const = 0;
};

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_KEY_PAIR_H_
