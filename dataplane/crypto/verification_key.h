#ifndef PORTICO_DATAPLANE_CRYPTO_VERIFICATION_KEY_H_
#define PORTICO_DATAPLANE_CRYPTO_VERIFICATION_KEY_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"

namespace portico::crypto {

// The signatures of JOSE that are spoken (RFC 7518 section 3.1, RFC 8037 section 3.1). Each key type has exactly one,
// so that a token can't choose what its key is used for.
enum class SignatureAlgorithm { kHs256, kRs256, kEs256, kEdDsa };

// "HS256", "RS256", "ES256", "EdDSA".
std::string_view SignatureAlgorithmName(SignatureAlgorithm algorithm);

// A key that checks signatures, made of a JWK's components as raw bytes (unsigned, big-endian). Immutable, cheap to
// copy, usable from all threads at once.
//
//   absl::StatusOr<VerificationKey> key = VerificationKey::FromRsa(modulus, exponent);
//   if (key->Verify(signing_input, signature)) …
//
// Weak and malformed keys are refused with kInvalidArgument; no message holds key bytes.
class VerificationKey {
 public:
  static constexpr int kRsaBitsMin = 2048;       // RFC 7518 section 3.3
  static constexpr int kRsaBitsMax = 8192;       // checking a longer one is an attack on our time
  static constexpr size_t kHmacBytesMin = 32;    // RFC 7518 section 3.2: as long as the hash
  static constexpr size_t kHmacBytesMax = 1024;  // nobody has longer ones

  // RSASSA-PKCS1-v1_5 with SHA-256. The exponent is odd, 3 to 2^32-1.
  static absl::StatusOr<VerificationKey> FromRsa(std::string_view modulus, std::string_view exponent);
  // ECDSA on P-256 with SHA-256; both coordinates have 32 bytes and lie on the curve.
  static absl::StatusOr<VerificationKey> FromP256(std::string_view x, std::string_view y);
  // 32 bytes (RFC 8032).
  static absl::StatusOr<VerificationKey> FromEd25519(std::string_view x);
  // HMAC with SHA-256.
  static absl::StatusOr<VerificationKey> FromHmac(std::string_view key);

  VerificationKey(const VerificationKey&);
  VerificationKey& operator=(const VerificationKey&);
  ~VerificationKey();

  SignatureAlgorithm algorithm() const;

  // Constant in time for HMAC. ES256 signatures are r || s, 64 bytes (RFC 7518 section 3.4), never DER.
  bool Verify(std::string_view message, std::string_view signature) const;

 private:
  struct Key;
  explicit VerificationKey(std::shared_ptr<const Key> key);

  std::shared_ptr<const Key> key_;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_VERIFICATION_KEY_H_
