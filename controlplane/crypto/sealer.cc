#include "controlplane/crypto/sealer.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>
#ifdef OPENSSL_IS_BORINGSSL
#error "these are not OpenSSL's headers"
#endif

#include <cerrno>
#include <cstring>
#include <memory>

#include "api/base/check.h"
#include "api/base/hex.h"
#include "api/base/text.h"

namespace portico::openssl {
namespace {

using base::Concat;
using base::ToAbsl;
using Key = std::array<uint8_t, Sealer::kKeyBytes>;

constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

struct CloseFile {
  ~CloseFile() { close(descriptor); }
  int descriptor;
};

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}
int Size(std::string_view text) {
  return static_cast<int>(text.size());
}

absl::Status FileError(const std::string& path, std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(Concat(path, ": ", what)));
}

absl::StatusOr<Key> MakeKeyFile(const std::string& path) {
  Key key;
  PORTICO_CHECK(RAND_bytes(key.data(), key.size()) == 1);
  const CloseFile file{open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
  if (file.descriptor < 0) return FileError(path, Concat("cannot be made: ", std::strerror(errno)));
  const std::string line = base::ToHex({reinterpret_cast<const char*>(key.data()), key.size()}) + "\n";
  // A key that is not on the disk while what it sealed is would lose everything.
  const size_t slash = path.rfind('/');
  const CloseFile folder{
      open(slash == std::string::npos ? "." : path.substr(0, slash + 1).c_str(), O_RDONLY | O_CLOEXEC)};
  if (write(file.descriptor, line.data(), line.size()) != static_cast<ssize_t>(line.size()) ||
      fsync(file.descriptor) != 0 || folder.descriptor < 0 || fsync(folder.descriptor) != 0) {
    unlink(path.c_str());
    return FileError(path, Concat("cannot be written: ", std::strerror(errno)));
  }
  return key;
}

absl::StatusOr<Key> ParseKey(const std::string& path, std::string_view text) {
  if (text.ends_with('\n')) text.remove_suffix(1);
  Key key;
  if (text.size() != 2 * key.size()) return FileError(path, "must hold 64 hexadecimal digits");
  for (size_t i = 0; i < key.size(); ++i) {
    const int high = base::HexDigit(text[2 * i]), low = base::HexDigit(text[2 * i + 1]);
    if (high < 0 || low < 0) return FileError(path, "must hold 64 hexadecimal digits");
    key[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return key;
}

}  // namespace

absl::StatusOr<Sealer> Sealer::FromFile(const std::string& path) {
  const CloseFile file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (file.descriptor < 0 && errno == ENOENT) {
    const absl::StatusOr<Key> key = MakeKeyFile(path);
    if (!key.ok()) return key.status();
    return Sealer(*key);
  }
  if (file.descriptor < 0) return FileError(path, Concat("cannot be opened: ", std::strerror(errno)));
  struct stat status{};
  if (fstat(file.descriptor, &status) != 0) return FileError(path, std::strerror(errno));
  if ((status.st_mode & 077) != 0) return FileError(path, "others may read it; chmod 600 it, or make another key");
  char text[4 * kKeyBytes];
  const ssize_t size = read(file.descriptor, text, sizeof text);
  if (size < 0) return FileError(path, Concat("cannot be read: ", std::strerror(errno)));
  const absl::StatusOr<Key> key = ParseKey(path, {text, static_cast<size_t>(size)});
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
