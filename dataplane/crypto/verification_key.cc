#include "dataplane/crypto/verification_key.h"

#include <openssl/bn.h>
#include <openssl/bytestring.h>
#include <openssl/ec_key.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/mem.h>
#include <openssl/nid.h>
#include <openssl/rsa.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <string>
#include <utility>

#include "api/base/text.h"
#include "dataplane/crypto/boring_error.h"
#include "dataplane/crypto/digest.h"

namespace portico::crypto {
namespace {

using base::Concat;

constexpr size_t kP256Bytes = 32;
constexpr size_t kEd25519Bytes = 32;

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}

bssl::UniquePtr<BIGNUM> Number(std::string_view bytes) {
  return bssl::UniquePtr<BIGNUM>(BN_bin2bn(Bytes(bytes), bytes.size(), nullptr));
}

// JOSE's r || s (RFC 7518 section 3.4) as the DER that BoringSSL reads. False: wrong length, or a zero, which no
// signature has.
bool ToDer(std::string_view signature, bssl::UniquePtr<uint8_t>& der, size_t& der_bytes) {
  if (signature.size() != 2 * kP256Bytes) return false;
  bssl::UniquePtr<ECDSA_SIG> pair(ECDSA_SIG_new());
  bssl::UniquePtr<BIGNUM> r = Number(signature.substr(0, kP256Bytes));
  bssl::UniquePtr<BIGNUM> s = Number(signature.substr(kP256Bytes));
  if (pair == nullptr || !ECDSA_SIG_set0(pair.get(), r.get(), s.get())) return false;
  r.release(), s.release();  // the pair owns them now
  uint8_t* out = nullptr;
  if (!ECDSA_SIG_to_bytes(&out, &der_bytes, pair.get())) return false;
  der.reset(out);
  return true;
}

}  // namespace

struct VerificationKey::Key {
  SignatureAlgorithm algorithm;
  bssl::UniquePtr<EVP_PKEY> public_key;  // nullptr for HMAC
  std::string secret;

  ~Key() { OPENSSL_cleanse(secret.data(), secret.size()); }

  bool VerifyPublic(const EVP_MD* digest, std::string_view message, const uint8_t* signature, size_t size) const {
    bssl::ScopedEVP_MD_CTX context;
    const bool good = EVP_DigestVerifyInit(context.get(), nullptr, digest, nullptr, public_key.get()) == 1 &&
                      EVP_DigestVerify(context.get(), signature, size, Bytes(message), message.size()) == 1;
    if (!good) TakeBoringError("");
    return good;
  }
};

std::string_view SignatureAlgorithmName(SignatureAlgorithm algorithm) {
  switch (algorithm) {
    case SignatureAlgorithm::kHs256:
      return "HS256";
    case SignatureAlgorithm::kRs256:
      return "RS256";
    case SignatureAlgorithm::kEs256:
      return "ES256";
    case SignatureAlgorithm::kEdDsa:
      return "EdDSA";
  }
  return "";
}

absl::StatusOr<VerificationKey> VerificationKey::FromRsa(std::string_view modulus, std::string_view exponent) {
  // Measured before any arithmetic, which costs more than linear time.
  if (modulus.size() > kRsaBitsMax / 8) return Invalid(Concat("RSA key of more than ", kRsaBitsMax, " bits"));
  if (exponent.empty() || exponent.size() > 4) return Invalid("RSA exponent has not 1 to 4 bytes");
  if (modulus.starts_with('\0') || exponent.starts_with('\0')) return Invalid("RSA number begins with a zero byte");
  bssl::UniquePtr<BIGNUM> n = Number(modulus);
  bssl::UniquePtr<BIGNUM> e = Number(exponent);
  if (BN_num_bits(n.get()) < kRsaBitsMin) {
    return Invalid(Concat("RSA key of ", BN_num_bits(n.get()), " bits; at least ", kRsaBitsMin));
  }
  if (!BN_is_odd(n.get()) || !BN_is_odd(e.get()) || BN_is_one(e.get())) return Invalid("RSA modulus or exponent");
  bssl::UniquePtr<RSA> rsa(RSA_new());
  RSA_set0_key(rsa.get(), n.release(), e.release(), nullptr);
  auto key = std::make_shared<Key>(SignatureAlgorithm::kRs256, bssl::UniquePtr<EVP_PKEY>(EVP_PKEY_new()), "");
  if (!RSA_check_key(rsa.get()) || !EVP_PKEY_set1_RSA(key->public_key.get(), rsa.get())) {
    return Invalid(Concat("RSA key: ", TakeBoringError("not a key")));
  }
  return VerificationKey(std::move(key));
}

absl::StatusOr<VerificationKey> VerificationKey::FromP256(std::string_view x, std::string_view y) {
  if (x.size() != kP256Bytes || y.size() != kP256Bytes) return Invalid("P-256 coordinate has not 32 bytes");
  bssl::UniquePtr<EC_KEY> ec(EC_KEY_new_by_curve_name(NID_X9_62_prime256v1));
  // Checks that the point is on the curve (RFC 8725 section 3.4).
  if (!EC_KEY_set_public_key_affine_coordinates(ec.get(), Number(x).get(), Number(y).get())) {
    TakeBoringError("");
    return Invalid("P-256 key is not on the curve");
  }
  auto key = std::make_shared<Key>(SignatureAlgorithm::kEs256, bssl::UniquePtr<EVP_PKEY>(EVP_PKEY_new()), "");
  EVP_PKEY_set1_EC_KEY(key->public_key.get(), ec.get());
  return VerificationKey(std::move(key));
}

absl::StatusOr<VerificationKey> VerificationKey::FromEd25519(std::string_view x) {
  if (x.size() != kEd25519Bytes) return Invalid("Ed25519 key has not 32 bytes");
  bssl::UniquePtr<EVP_PKEY> key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, Bytes(x), x.size()));
  if (key == nullptr) return Invalid(Concat("Ed25519 key: ", TakeBoringError("not a key")));
  return VerificationKey(std::make_shared<Key>(SignatureAlgorithm::kEdDsa, std::move(key), ""));
}

absl::StatusOr<VerificationKey> VerificationKey::FromHmac(std::string_view key) {
  if (key.size() < kHmacBytesMin)
    return Invalid(Concat("HMAC key of ", key.size(), " bytes; at least ", kHmacBytesMin));
  if (key.size() > kHmacBytesMax) return Invalid(Concat("HMAC key of more than ", kHmacBytesMax, " bytes"));
  return VerificationKey(std::make_shared<Key>(SignatureAlgorithm::kHs256, nullptr, std::string(key)));
}

VerificationKey::VerificationKey(std::shared_ptr<const Key> key) : key_(std::move(key)) {}
VerificationKey::VerificationKey(const VerificationKey&) = default;
VerificationKey& VerificationKey::operator=(const VerificationKey&) = default;
VerificationKey::~VerificationKey() = default;

SignatureAlgorithm VerificationKey::algorithm() const {
  return key_->algorithm;
}

bool VerificationKey::Verify(std::string_view message, std::string_view signature) const {
  switch (key_->algorithm) {
    case SignatureAlgorithm::kHs256: {
      const Sha256Digest expected = HmacSha256(key_->secret, message);
      return ConstantTimeEquals({reinterpret_cast<const char*>(expected.data()), expected.size()}, signature);
    }
    case SignatureAlgorithm::kRs256:
      return key_->VerifyPublic(EVP_sha256(), message, Bytes(signature), signature.size());
    case SignatureAlgorithm::kEs256: {
      bssl::UniquePtr<uint8_t> der;
      size_t size = 0;
      return ToDer(signature, der, size) && key_->VerifyPublic(EVP_sha256(), message, der.get(), size);
    }
    case SignatureAlgorithm::kEdDsa:
      return key_->VerifyPublic(nullptr, message, Bytes(signature), signature.size());
  }
  return false;
}

}  // namespace portico::crypto
