#include "dataplane/crypto/keyed_hash.h"

#include <openssl/siphash.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <span>

#include "dataplane/crypto/digest.h"

namespace portico::crypto {

KeyedHash KeyedHash::Generate() {
  std::array<uint64_t, 2> key;
  FillRandom({reinterpret_cast<uint8_t*>(key.data()), sizeof key});
  return KeyedHash(key);
}

uint64_t KeyedHash::Of(std::string_view text) const {
  return SIPHASH_24(key_.data(), reinterpret_cast<const uint8_t*>(text.data()), text.size());
}

}  // namespace portico::crypto
