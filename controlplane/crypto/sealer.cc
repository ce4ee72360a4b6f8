#include "controlplane/crypto/sealer.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#ifdef OPENSSL_IS_BORINGSSL
#error "these are not OpenSSL's headers"
#endif

#include <memory>

#include "api/base/check.h"
#include "api/base/files.h"
#include "api/base/hex.h"
#include "api/base/text.h"

namespace portico::openssl {
namespace {

using base::Concat;
using Key = std::array<uint8_t, Sealer::kKeyBytes>;

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}
int Size(std::string_view text) {
  return static_cast<int>(text.size());
}

}  // namespace

absl::StatusOr<Sealer> Sealer::FromFile(const std::string& path) {
  absl::StatusOr<base::FileKey> key = base::ReadKeyFile(path);
  if (absl::IsNotFound(key.status())) {
    Key made;
    PORTICO_CHECK(RAND_bytes(made.data(), made.size()) == 1);
    if (absl::Status status = base::MakeKeyFile(path, made); !status.ok()) return status;
    key = made;
  }
  if (!key.ok()) return key.status();
  return Sealer(*key);
}

std::string Sealer::Seal(std::string_view name, std::string_view text) const {
  std::string sealed(kNonceBytes + text.size() + kTagBytes, '\0');
  uint8_t* const nonce = Bytes(sealed);
  uint8_t* const body = nonce + kNonceBytes;
  PORTICO_CHECK(RAND_bytes(nonce, kNonceBytes) == 1);
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  PORTICO_CHECK(EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), nonce) == 1);
  PORTICO_CHECK(EVP_EncryptUpdate(cipher.get(), nullptr, &size, Bytes(name), Size(name)) == 1);
  PORTICO_CHECK(EVP_EncryptUpdate(cipher.get(), body, &size, Bytes(text), Size(text)) == 1);
  PORTICO_CHECK(EVP_EncryptFinal_ex(cipher.get(), body + size, &size) == 1);
  PORTICO_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, body + text.size()) == 1);
  return sealed;
}

absl::StatusOr<std::string> Sealer::Open(std::string_view name, std::string_view sealed) const {
  if (sealed.size() < kNonceBytes + kTagBytes) return absl::DataLossError("what is sealed is cut off");
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  std::string tag(sealed.substr(sealed.size() - kTagBytes));
  std::string text(body.size(), '\0');
  const Cipher cipher(EVP_CIPHER_CTX_new());
  int size = 0;
  PORTICO_CHECK(EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key_.data(), Bytes(sealed)) == 1);
  PORTICO_CHECK(EVP_DecryptUpdate(cipher.get(), nullptr, &size, Bytes(name), Size(name)) == 1);
  PORTICO_CHECK(EVP_DecryptUpdate(cipher.get(), Bytes(text), &size, Bytes(body), Size(body)) == 1);
  PORTICO_CHECK(EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, tag.data()) == 1);
  if (EVP_DecryptFinal_ex(cipher.get(), Bytes(text) + size, &size) != 1) {
    return absl::DataLossError("it was sealed with another key or has been changed");
  }
  return text;
}

std::string Sha256(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(Bytes(text), text.size(), Bytes(digest));
  return digest;
}

std::string Digest(std::string_view text) {
  return Concat("sha256:", base::ToHex(Sha256(text)));
}

}  // namespace portico::openssl
