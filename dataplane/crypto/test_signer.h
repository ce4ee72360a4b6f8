#ifndef PORTICO_DATAPLANE_CRYPTO_TEST_SIGNER_H_
#define PORTICO_DATAPLANE_CRYPTO_TEST_SIGNER_H_

#include <memory>
#include <string>
#include <string_view>

#include "dataplane/crypto/verification_key.h"

namespace portico::crypto {

// Tests only: a fresh key that signs as an issuer of tokens would.
class TestSigner {
 public:
  explicit TestSigner(SignatureAlgorithm algorithm, int rsa_bits = 2048);
  ~TestSigner();

  SignatureAlgorithm algorithm() const { return algorithm_; }
  std::string Sign(std::string_view message) const;
  // The public key (for HS256 the secret) as a JWK with this kid; "" leaves kid out.
  std::string Jwk(std::string_view kid) const;
  // header.payload.signature of two JSON texts.
  std::string Token(std::string_view header, std::string_view payload) const;

 private:
  struct Key;
  const SignatureAlgorithm algorithm_;
  std::unique_ptr<Key> key_;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_TEST_SIGNER_H_
