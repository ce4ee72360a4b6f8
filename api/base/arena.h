#ifndef PORTICO_API_BASE_ARENA_H_
#define PORTICO_API_BASE_ARENA_H_

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace portico::base {

// Memory that is given out piece by piece and freed at once. Nothing in it is destroyed one by one, so only trivially
// destructible objects live here. One thread at a time.
//
//   Arena arena;                                   // or Arena arena(4096): the size of the first block
//   std::string_view name = arena.Copy(text);      // lives until Reset() or the arena's end
//   Node* node = arena.New<Node>(1, 2);
//   arena.Reset();                                 // keeps the first block for the next use
//
// Limits: the owner asks `bytes()` and stops; the arena itself never refuses, so that it needs no error path.
class Arena {
 public:
  explicit Arena(size_t first_block_bytes = 4096) : first_block_bytes_(first_block_bytes) {}
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  // Uninitialised memory, aligned to `alignment` (a power of two, at most alignof(std::max_align_t)).
  void* Allocate(size_t size, size_t alignment = alignof(std::max_align_t)) {
    const size_t padding = (alignment - reinterpret_cast<size_t>(next_) % alignment) % alignment;
    if (static_cast<size_t>(end_ - next_) < size + padding) return AllocateInNewBlock(size);
    char* start = next_ + padding;
    next_ = start + size;
    return start;
  }

  template <typename T, typename... Args>
  T* New(Args&&... args) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena destroys nothing");
    return new (Allocate(sizeof(T), alignof(T))) T{std::forward<Args>(args)...};
  }

  // An array of `count` value-initialised objects; nullptr for none.
  template <typename T>
  T* NewArray(size_t count) {
    static_assert(std::is_trivially_destructible_v<T>, "an arena destroys nothing");
    if (count == 0) return nullptr;
    return new (Allocate(sizeof(T) * count, alignof(T))) T[count]{};
  }

  std::string_view Copy(std::string_view text) {
    if (text.empty()) return {};
    char* copy = static_cast<char*>(Allocate(text.size(), 1));
    std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
  }

  // Forgets everything that was given out. The first block is kept, the others are freed.
  void Reset();

  // Bytes taken from the heap so far, the blocks' unused ends included.
  size_t bytes() const { return bytes_; }

 private:
  struct Block {
    std::unique_ptr<char[]> memory;
    size_t size;
  };

  void* AllocateInNewBlock(size_t size);

  const size_t first_block_bytes_;
  std::vector<Block> blocks_;
  char* next_ = nullptr;
  char* end_ = nullptr;
  size_t bytes_ = 0;
};

}  // namespace portico::base

#endif  // PORTICO_API_BASE_ARENA_H_
