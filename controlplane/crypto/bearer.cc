#include "controlplane/crypto/bearer.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#ifdef OPENSSL_IS_BORINGSSL
#error "these are not OpenSSL's headers"
#endif

#include <array>
#include <cstddef>
#include <cstdint>

#include "api/base/check.h"
#include "api/base/hex.h"
#include "api/base/text.h"
#include "controlplane/crypto/sealer.h"

namespace portico::openssl {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

// RFC 4648 section 5, without padding.
std::string Base64Url(const std::array<uint8_t, 32>& bytes) {
  std::string text;
  uint32_t held = 0;
  int bits = 0;
  for (const uint8_t byte : bytes) {
    held = held << 8 | byte;
    for (bits += 8; bits >= 6; bits -= 6)
      text.push_back(kDigits[held >> (bits - 6) & 0x3f]);
  }
  if (bits > 0) text.push_back(kDigits[held << (6 - bits) & 0x3f]);
  return text;
}

}  // namespace

std::string NewBearer(std::string_view prefix) {
  std::array<uint8_t, 32> bytes;
  PORTICO_CHECK(RAND_bytes(bytes.data(), bytes.size()) == 1);
  return base::Concat(prefix, "_", Base64Url(bytes));
}

std::string BearerDigest(std::string_view text) {
  return base::ToHex(Sha256(text));
}

bool SameBytes(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace portico::openssl
