#ifndef PORTICO_DATAPLANE_BASE_RANDOM_H_
#define PORTICO_DATAPLANE_BASE_RANDOM_H_

#include <array>
#include <cstddef>
#include <cstdint>

namespace portico::base {

// A seeded generator for ids, weights and jitter: xoshiro256** (Blackman and Vigna, 2018), its state filled from the
// seed by SplitMix64, as they advise. The same seed gives the same numbers everywhere, which is what the simulation
// needs. Whoever sees some of its output can compute the rest: never for keys, tokens or anything that must not be
// guessed (crypto/ has those). One per thread; main seeds it from the kernel.
class Random {
 public:
  explicit Random(uint64_t seed);

  uint64_t Next();
  // Evenly from 0 to bound - 1; bound > 0.
  uint64_t Below(uint64_t bound);
  // Writes `digits` lower-case hexadecimal digits, without a terminating zero.
  void FillHex(char* into, size_t digits);

 private:
  std::array<uint64_t, 4> state_;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_RANDOM_H_
