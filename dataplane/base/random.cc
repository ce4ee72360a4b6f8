#include "dataplane/base/random.h"

#include <bit>

#include "api/base/check.h"

namespace portico::base {

Random::Random(uint64_t seed) {
  for (uint64_t& word : state_) {
    seed += 0x9e3779b97f4a7c15;
    uint64_t mixed = seed;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    word = mixed ^ (mixed >> 31);
  }
}

uint64_t Random::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

// Lemire, "Fast Random Integer Generation in an Interval" (2019): the high half of a product, thrown away in the rare
// case that would favour some results.
uint64_t Random::Below(uint64_t bound) {
  PORTICO_CHECK(bound > 0);
  const uint64_t threshold = -bound % bound;
  while (true) {
    const auto product = static_cast<unsigned __int128>(Next()) * bound;
    if (static_cast<uint64_t>(product) >= threshold) return static_cast<uint64_t>(product >> 64);
  }
}

void Random::FillHex(char* into, size_t digits) {
  uint64_t word = 0;
  for (size_t i = 0; i < digits; ++i) {
    if (i % 16 == 0) word = Next();
    into[i] = "0123456789abcdef"[word & 15];
    word >>= 4;
  }
}

}  // namespace portico::base
