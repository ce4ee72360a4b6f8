#ifndef PORTICO_DATAPLANE_SHARED_GENERATIONS_H_
#define PORTICO_DATAPLANE_SHARED_GENERATIONS_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>

namespace portico::shared {

// How often what belongs to a key was made invalid, for all threads. Keys share counts, so at worst something is
// refused for another's sake; which do can be foreseen, and helps nobody who may not invalidate anyway.
class Generations {
 public:
  static constexpr size_t kCounts = 4096;  // so that few share one with a busy key

  uint64_t Of(std::string_view key) const { return counts_[IndexOf(key)].load(); }
  void Next(std::string_view key) { counts_[IndexOf(key)].fetch_add(1); }
  void NextOfAll() {
    for (std::atomic<uint64_t>& count : counts_)
      count.fetch_add(1);
  }

 private:
  static size_t IndexOf(std::string_view key) { return std::hash<std::string_view>()(key) % kCounts; }

  std::array<std::atomic<uint64_t>, kCounts> counts_{};
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_GENERATIONS_H_
