#ifndef PORTICO_DATAPLANE_CRYPTO_DIGEST_H_
#define PORTICO_DATAPLANE_CRYPTO_DIGEST_H_

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace portico::crypto {

using Sha256Digest = std::array<uint8_t, 32>;

// FIPS 180-4.
Sha256Digest Sha256(std::string_view data);

// RFC 2104 with SHA-256. A key of any length; shorter than 32 bytes is weak, which is for the caller to refuse.
Sha256Digest HmacSha256(std::string_view key, std::string_view data);

// Compares in a time that depends on the lengths alone. Use it wherever one side is secret.
bool ConstantTimeEquals(std::string_view a, std::string_view b);

// From BoringSSL's generator (the kernel's, stretched per thread); never fails. Keys and nonces come from here, never
// from a seeded generator.
void FillRandom(std::span<uint8_t> bytes);

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_DIGEST_H_
