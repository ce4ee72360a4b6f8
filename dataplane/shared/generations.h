#ifndef PORTICO_DATAPLANE_SHARED_GENERATIONS_H_
#define PORTICO_DATAPLANE_SHARED_GENERATIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

namespace portico::shared {

// How often what belongs to a key was made invalid, for all threads. Keys share counts, so at worst something is
// refused for another's sake: hence keys come as hashes that nobody outside can foresee, or a stranger would invalidate
// what is his and so keep another's from being stored.
class Generations {
 public:
  static constexpr size_t kCounts = 4096;  // so that few share one with a busy key

  uint64_t Of(uint64_t hash) const { return counts_[hash % kCounts].load(); }
  void Next(uint64_t hash) { counts_[hash % kCounts].fetch_add(1); }
  void NextOfAll() {
    for (std::atomic<uint64_t>& count : counts_)
      count.fetch_add(1);
  }

 private:
  std::array<std::atomic<uint64_t>, kCounts> counts_{};
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_GENERATIONS_H_
