#ifndef PORTICO_DATAPLANE_CRYPTO_KEYED_HASH_H_
#define PORTICO_DATAPLANE_CRYPTO_KEYED_HASH_H_

#include <array>
#include <cstdint>
#include <string_view>

namespace portico::crypto {

// SipHash-2-4 (Aumasson and Bernstein, 2012): a short hash for tables whose keys strangers choose. Who doesn't know the
// key can neither foresee where a text falls nor find two that fall together. No digest: 64 bits.
class KeyedHash {
 public:
  explicit KeyedHash(const std::array<uint64_t, 2>& key) : key_(key) {}
  // With a random key.
  static KeyedHash Generate();

  uint64_t Of(std::string_view text) const;

 private:
  std::array<uint64_t, 2> key_;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_KEYED_HASH_H_
