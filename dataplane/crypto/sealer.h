#ifndef PORTICO_DATAPLANE_CRYPTO_SEALER_H_
#define PORTICO_DATAPLANE_CRYPTO_SEALER_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace portico::crypto {

// Encrypts what must not lie on a disk in clear: AES-256-GCM (NIST SP 800-38D) with a random nonce of 12 bytes, which
// is safe for 2^32 texts under one key (section 8.3). A name is bound to each text, so that one can't be put in the
// place of another. What is sealed is nonce, ciphertext and tag, 28 bytes more than the text. Any thread.
class Sealer {
 public:
  using Key = std::array<uint8_t, 32>;

  explicit Sealer(const Key& key) : key_(key) {}

  std::string Seal(std::string_view name, std::string_view text) const;
  // kDataLoss: it was sealed with another key, under another name, or has been changed or cut off since.
  absl::StatusOr<std::string> Open(std::string_view name, std::string_view sealed) const;

  // Of the key, to tell another one by; nothing of the key can be learned from it.
  std::string key_id() const;

 private:
  Key key_;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_SEALER_H_
