#ifndef PORTICO_CONTROLPLANE_CRYPTO_SEALER_H_
#define PORTICO_CONTROLPLANE_CRYPTO_SEALER_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portico::openssl {

// Encrypts what must not lie on a disk in clear: AES-256-GCM (NIST SP 800-38D) with a random nonce of 12 bytes. A name
// is bound to each text, so that one can't be put in the place of another. Random nonces are safe for 2^32 texts under
// one key (section 8.3), which a configuration never sees. Any thread.
class Sealer {
 public:
  static constexpr size_t kKeyBytes = 32;

  // The key of a file of 64 hexadecimal digits, or a new one in a new file (0600) if there is none. An existing file
  // that others may read is refused (kFailedPrecondition), as is one with anything else in it.
  static absl::StatusOr<Sealer> FromFile(const std::string& path);

  explicit Sealer(const std::array<uint8_t, kKeyBytes>& key) : key_(key) {}

  std::string Seal(std::string_view name, std::string_view text) const;
  // kDataLoss: it was sealed with another key, under another name, or changed since.
  absl::StatusOr<std::string> Open(std::string_view name, std::string_view sealed) const;

 private:
  std::array<uint8_t, kKeyBytes> key_;
};

// The 32 bytes of FIPS 180-4.
std::string Sha256(std::string_view text);

// "sha256:…": what is shown of a secret.
std::string Digest(std::string_view text);

}  // namespace portico::openssl

#endif  // PORTICO_CONTROLPLANE_CRYPTO_SEALER_H_
