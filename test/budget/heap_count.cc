#include "test/budget/heap_count.h"

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <new>

#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer) || __has_feature(memory_sanitizer)
#define PORTICO_HAS_SANITIZER 1
#else
#define PORTICO_HAS_SANITIZER 0
#endif

extern "C" {
// glibc's own names for what is replaced below.
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* memory, size_t size);
void* __libc_memalign(size_t alignment, size_t size);
extern const char __executable_start;
extern const char etext;
}

namespace portico::test {
namespace {

constexpr size_t kFramesMax = 14;
constexpr size_t kSitesMax = 4096;

struct Site {
  uint64_t count = 0;
  size_t bytes = 0;
  std::array<const void*, kFramesMax> frames{};
};

thread_local HeapUse use;
bool recording = false;
std::array<Site, kSitesMax> sites;
size_t site_count = 0;

// By the chain of frame pointers, which every one of our files keeps (.bazelrc); it allocates nothing.
__attribute__((noinline)) std::array<const void*, kFramesMax> Callers() {
  struct Frame {
    const Frame* next;
    const void* return_address;
  };
  std::array<const void*, kFramesMax> frames{};
  const auto* frame = static_cast<const Frame*>(__builtin_frame_address(0));
  for (size_t count = 0; count < kFramesMax;) {
    // Libraries keep no chain: what is not further up this stack is no frame.
    const auto here = reinterpret_cast<uintptr_t>(frame);
    const auto next = reinterpret_cast<uintptr_t>(frame->next);
    if (next <= here || next - here > (1 << 16)) break;
    frames[count++] = frame->return_address;
    frame = frame->next;
  }
  return frames;
}

void Record(size_t bytes) {
  const std::array<const void*, kFramesMax> frames = Callers();
  for (size_t i = 0; i < site_count; ++i) {
    if (sites[i].bytes != bytes || sites[i].frames != frames) continue;
    ++sites[i].count;
    return;
  }
  if (site_count < kSitesMax) sites[site_count++] = {1, bytes, frames};
}

[[maybe_unused]] __attribute__((noinline)) void Count(size_t bytes) {
  ++use.allocations;
  use.bytes += bytes;
  if (recording) Record(bytes);
}

}  // namespace

HeapUse HeapUseOfThisThread() {
  return use;
}

bool CountsHeapUse() {
  return PORTICO_HAS_SANITIZER == 0;
}

void RecordAllocationSites(bool record) {
  recording = record;
}

void PrintAllocationSites() {
  recording = false;
  for (size_t i = 0; i < site_count; ++i) {
    std::fprintf(stderr, "SITE %llu %zu", static_cast<unsigned long long>(sites[i].count), sites[i].bytes);
    for (const void* frame : sites[i].frames) {
      const auto* address = static_cast<const char*>(frame);
      if (address > &__executable_start && address < &etext)
        std::fprintf(stderr, " 0x%zx", static_cast<size_t>(address - &__executable_start));
    }
    std::fprintf(stderr, "\n");
  }
}

}  // namespace portico::test

#if !PORTICO_HAS_SANITIZER

extern "C" {

void* malloc(size_t size) {
  portico::test::Count(size);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) {
  portico::test::Count(count * size);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) {
  portico::test::Count(size);
  return __libc_realloc(memory, size);
}
void* memalign(size_t alignment, size_t size) {
  portico::test::Count(size);
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) {
  portico::test::Count(size);
  return __libc_memalign(alignment, size);
}
int posix_memalign(void** memory, size_t alignment, size_t size) {
  portico::test::Count(size);
  *memory = __libc_memalign(alignment, size);
  return *memory == nullptr ? ENOMEM : 0;
}

}  // extern "C"

// libstdc++'s own calls malloc as well, but breaks the chain of frames: its caller would be missing from a site.
void* operator new(size_t size) {
  portico::test::Count(size);
  void* memory = __libc_malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void* operator new[](size_t size) {
  portico::test::Count(size);
  void* memory = __libc_malloc(size == 0 ? 1 : size);
  if (memory == nullptr) std::abort();
  return memory;
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete[](void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, size_t) noexcept {
  std::free(memory);
}
void operator delete[](void* memory, size_t) noexcept {
  std::free(memory);
}

#endif
