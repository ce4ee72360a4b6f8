#ifndef PORTICO_TEST_AGREEMENT_SHA256_FOR_TEST_H_
#define PORTICO_TEST_AGREEMENT_SHA256_FOR_TEST_H_

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "controlplane/crypto/sealer.h"

namespace portico::xds {

// The control plane's, as the proxy's side takes it. For tests only.
inline std::array<uint8_t, 32> HashOf(std::string_view text) {
  const std::string hash = openssl::Sha256(text);
  std::array<uint8_t, 32> bytes;
  for (size_t i = 0; i < bytes.size(); ++i)
    bytes[i] = static_cast<uint8_t>(hash.at(i));
  return bytes;
}

}  // namespace portico::xds

#endif  // PORTICO_TEST_AGREEMENT_SHA256_FOR_TEST_H_
