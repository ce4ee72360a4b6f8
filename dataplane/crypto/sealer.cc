#include "dataplane/crypto/sealer.h"

#include <openssl/aead.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include "absl/status/status.h"
#include "api/base/check.h"
#include "api/base/hex.h"
#include "dataplane/crypto/digest.h"

namespace portico::crypto {
namespace {

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}

class Cipher {
 public:
  explicit Cipher(const Sealer::Key& key) {
    const int made =
        EVP_AEAD_CTX_init(context_.get(), EVP_aead_aes_256_gcm(), key.data(), key.size(), kTagBytes, nullptr);
    PORTICO_CHECK(made == 1);
  }
  const EVP_AEAD_CTX* get() const { return context_.get(); }

 private:
  bssl::ScopedEVP_AEAD_CTX context_;
};

}  // namespace

std::string Sealer::Seal(std::string_view name, std::string_view text) const {
  std::string sealed(kNonceBytes + text.size() + kTagBytes, '\0');
  uint8_t* const nonce = Bytes(sealed);
  FillRandom({nonce, kNonceBytes});
  size_t size = 0;
  const int done = EVP_AEAD_CTX_seal(Cipher(key_).get(), nonce + kNonceBytes, &size, sealed.size() - kNonceBytes, nonce,
                                     kNonceBytes, Bytes(text), text.size(), Bytes(name), name.size());
  PORTICO_CHECK(done == 1 && size == sealed.size() - kNonceBytes);
  return sealed;
}

absl::StatusOr<std::string> Sealer::Open(std::string_view name, std::string_view sealed) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return absl::DataLossError("it is cut off");
  std::string text(sealed.size() - kNonceBytes - kTagBytes, '\0');
  const std::string_view body = sealed.substr(kNonceBytes);
  size_t size = 0;
  const int done = EVP_AEAD_CTX_open(Cipher(key_).get(), Bytes(text), &size, text.size(), Bytes(sealed), kNonceBytes,
                                     Bytes(body), body.size(), Bytes(name), name.size());
  if (done != 1) return absl::DataLossError("it was sealed with another key, or has been changed or cut off");
  return text;
}

std::string Sealer::key_id() const {
  const Sha256Digest digest = HmacSha256({reinterpret_cast<const char*>(key_.data()), key_.size()}, "portico key id");
  return base::ToHex({reinterpret_cast<const char*>(digest.data()), 8});
}

}  // namespace portico::crypto
