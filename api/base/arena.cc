#include "api/base/arena.h"

#include <algorithm>

namespace portico::base {
namespace {

constexpr size_t kLargestGrowthBytes = 1 << 20;

}  // namespace

void* Arena::AllocateInNewBlock(size_t size) {
  const size_t grown = blocks_.empty() ? first_block_bytes_ : std::min(blocks_.back().size * 2, kLargestGrowthBytes);
  const size_t block_size = std::max(size, grown);
  blocks_.push_back({std::make_unique_for_overwrite<char[]>(block_size), block_size});
  bytes_ += block_size;
  char* start = blocks_.back().memory.get();
  next_ = start + size;
  end_ = start + block_size;
  return start;
}

void Arena::Reset() {
  if (blocks_.empty()) return;
  blocks_.erase(blocks_.begin() + 1, blocks_.end());
  next_ = blocks_.front().memory.get();
  end_ = next_ + blocks_.front().size;
  bytes_ = blocks_.front().size;
}

}  // namespace portico::base
