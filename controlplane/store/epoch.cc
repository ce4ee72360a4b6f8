#include "controlplane/store/epoch.h"

#include <sys/random.h>

#include <array>
#include <cstdint>

#include "api/base/check.h"

namespace portico::store {

std::string NewEpoch() {
  std::array<uint8_t, 8> bytes;
  PORTICO_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  std::string text;
  for (const uint8_t byte : bytes) {
    text.push_back("0123456789abcdef"[byte >> 4]);
    text.push_back("0123456789abcdef"[byte & 0xf]);
  }
  return text;
}

}  // namespace portico::store
