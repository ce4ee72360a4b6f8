#include "dataplane/tls/ticket_keys.h"

#include <openssl/aead.h>
#include <openssl/mem.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <cstring>
#include <utility>

#include "api/base/check.h"
#include "dataplane/crypto/boring_error.h"
#include "dataplane/crypto/digest.h"

namespace portico::tls {
namespace {

constexpr size_t kNameBytes = 16;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

const uint8_t* Bytes(std::string_view text) {
  return reinterpret_cast<const uint8_t*>(text.data());
}
uint8_t* Bytes(std::string& text) {
  return reinterpret_cast<uint8_t*>(text.data());
}

}  // namespace

TicketKeys TicketKeys::Generate() {
  return TicketKeys().Rotated();
}

TicketKeys TicketKeys::Rotated() const {
  TicketKeys rotated(*this);
  if (rotated.keys_.size() == kKeysMax) {
    OPENSSL_cleanse(&rotated.keys_.back(), sizeof(Key));
    rotated.keys_.pop_back();
  }
  Key key;
  crypto::FillRandom(key.name);
  crypto::FillRandom(key.secret);
  rotated.keys_.insert(rotated.keys_.begin(), key);
  return rotated;
}

// name (16) || nonce (12) || ciphertext || tag (16). The name is authenticated too. Random nonces of 96 bits allow 2^32
// tickets a key (NIST SP 800-38D section 8.3): 50,000 a second for a day.
std::string TicketKeys::Seal(std::string_view state) const {
  const Key& key = keys_.front();
  std::string ticket(kOverheadBytes + state.size(), '\0');
  std::memcpy(ticket.data(), key.name.data(), kNameBytes);
  uint8_t* const nonce = Bytes(ticket) + kNameBytes;
  crypto::FillRandom({nonce, kNonceBytes});
  bssl::ScopedEVP_AEAD_CTX context;
  size_t size = 0;
  const bool sealed = EVP_AEAD_CTX_init(context.get(), EVP_aead_aes_256_gcm(), key.secret.data(), key.secret.size(),
                                        kTagBytes, nullptr) &&
                      EVP_AEAD_CTX_seal(context.get(), nonce + kNonceBytes, &size, state.size() + kTagBytes, nonce,
                                        kNonceBytes, Bytes(state), state.size(), key.name.data(), kNameBytes);
  PORTICO_CHECK(sealed && size == state.size() + kTagBytes);
  return ticket;
}

std::optional<std::string> TicketKeys::Open(std::string_view ticket) const {
  if (ticket.size() < kOverheadBytes) return std::nullopt;
  const uint8_t* const nonce = Bytes(ticket) + kNameBytes;
  const size_t sealed_bytes = ticket.size() - kNameBytes - kNonceBytes;
  for (const Key& key : keys_) {
    if (std::memcmp(key.name.data(), ticket.data(), kNameBytes) != 0) continue;
    std::string state(sealed_bytes, '\0');
    bssl::ScopedEVP_AEAD_CTX context;
    size_t size = 0;
    const bool opened = EVP_AEAD_CTX_init(context.get(), EVP_aead_aes_256_gcm(), key.secret.data(), key.secret.size(),
                                          kTagBytes, nullptr) &&
                        EVP_AEAD_CTX_open(context.get(), Bytes(state), &size, state.size(), nonce, kNonceBytes,
                                          nonce + kNonceBytes, sealed_bytes, key.name.data(), kNameBytes);
    if (!opened) break;
    state.resize(size);
    return state;
  }
  crypto::TakeBoringError("");
  return std::nullopt;
}

}  // namespace portico::tls
