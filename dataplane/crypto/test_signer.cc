#include "dataplane/crypto/test_signer.h"

#include <openssl/bn.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/crypto/base64url.h"
#include "dataplane/crypto/digest.h"

namespace portico::crypto {
namespace {

using base::Concat;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

std::string Padded(const BIGNUM* number, size_t size) {
  std::string bytes(size, '\0');
  PORTICO_CHECK(BN_bn2bin_padded(reinterpret_cast<uint8_t*>(bytes.data()), size, number));
  return bytes;
}

bssl::UniquePtr<EVP_PKEY> NewRsa(int bits) {
  bssl::UniquePtr<RSA> rsa(RSA_new());
  bssl::UniquePtr<BIGNUM> exponent(BN_new());
  PORTICO_CHECK(BN_set_word(exponent.get(), RSA_F4) && RSA_generate_key_ex(rsa.get(), bits, exponent.get(), nullptr));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  EVP_PKEY_set1_RSA(key.get(), rsa.get());
  return key;
}

bssl::UniquePtr<EVP_PKEY> NewP256() {
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  PORTICO_CHECK(EC_KEY_generate_key(ec.get()));
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new());
  EVP_PKEY_set1_EC_KEY(key.get(), ec.get());
  return key;
}

}  // namespace

struct TestSigner::Key {
  bssl::UniquePtr<EVP_PKEY> private_key;
  std::string secret;
};

TestSigner::TestSigner(SignatureAlgorithm algorithm, int rsa_bits)
    : algorithm_(algorithm), key_(std::make_unique<Key>()) {
  uint8_t random[32];
  FillRandom(random);
  if (algorithm == SignatureAlgorithm::kHs256) key_->secret.assign(reinterpret_cast<char*>(random), sizeof random);
  if (algorithm == SignatureAlgorithm::kRs256) key_->private_key = NewRsa(rsa_bits);
  if (algorithm == SignatureAlgorithm::kEs256) key_->private_key = NewP256();
  if (algorithm == SignatureAlgorithm::kEdDsa) {
    key_->private_key.reset(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, random, sizeof random));
  }
}

TestSigner::~TestSigner() = default;

std::string TestSigner::Sign(std::string_view message) const {
  if (algorithm_ == SignatureAlgorithm::kHs256) {
    const Sha256Digest digest = HmacSha256(key_->secret, message);
    return {reinterpret_cast<const char*>(digest.data()), digest.size()};
  }
  const EVP_MD* hash = algorithm_ == SignatureAlgorithm::kEdDsa ? nullptr : EVP_sha256();
  bssl::ScopedEVP_MD_CTX context;
  std::string signature(1024, '\0');
  size_t size = signature.size();
  PORTICO_CHECK(EVP_DigestSignInit(context.get(), nullptr, hash, nullptr, key_->private_key.get()) &&
                EVP_DigestSign(context.get(), reinterpret_cast<uint8_t*>(signature.data()), &size, Bytes(message),
                               message.size()));
  signature.resize(size);
  if (algorithm_ != SignatureAlgorithm::kEs256) return signature;
  bssl::UniquePtr<ECDSA_SIG> pair(ECDSA_SIG_from_bytes(Bytes(signature), signature.size()));
  return Padded(ECDSA_SIG_get0_r(pair.get()), 32) + Padded(ECDSA_SIG_get0_s(pair.get()), 32);
}

std::string TestSigner::Jwk(std::string_view kid) const {
  const std::string name = kid.empty() ? "" : Concat(",\"kid\":\"", kid, "\"");
  const EVP_PKEY* key = key_->private_key.get();
  switch (algorithm_) {
    case SignatureAlgorithm::kHs256:
      return Concat("{\"kty\":\"oct\",\"k\":\"", EncodeBase64Url(key_->secret), "\"", name, "}");
    case SignatureAlgorithm::kRs256: {
      const RSA* rsa = EVP_PKEY_get0_RSA(key);
      const std::string n = Padded(RSA_get0_n(rsa), RSA_size(rsa));
      return Concat("{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"", EncodeBase64Url(n), "\"", name, "}");
    }
    case SignatureAlgorithm::kEs256: {
      const EC_KEY* ec = EVP_PKEY_get0_EC_KEY(key);
      bssl::UniquePtr<BIGNUM> x(BN_new());
      bssl::UniquePtr<BIGNUM> y(BN_new());
      EC_POINT_get_affine_coordinates_GFp(EC_KEY_get0_group(ec), EC_KEY_get0_public_key(ec), x.get(), y.get(), nullptr);
      return Concat("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"", EncodeBase64Url(Padded(x.get(), 32)), "\",\"y\":\"",
                    EncodeBase64Url(Padded(y.get(), 32)), "\"", name, "}");
    }
    case SignatureAlgorithm::kEdDsa: {
      std::string x(32, '\0');
      size_t size = x.size();
      EVP_PKEY_get_raw_public_key(key, reinterpret_cast<uint8_t*>(x.data()), &size);
      return Concat("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"", EncodeBase64Url(x), "\"", name, "}");
    }
  }
  return "";
}

std::string TestSigner::Token(std::string_view header, std::string_view payload) const {
  const std::string input = Concat(EncodeBase64Url(header), ".", EncodeBase64Url(payload));
  return Concat(input, ".", EncodeBase64Url(Sign(input)));
}

}  // namespace portico::crypto
