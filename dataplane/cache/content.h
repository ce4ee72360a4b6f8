#ifndef PORTICO_DATAPLANE_CACHE_CONTENT_H_
#define PORTICO_DATAPLANE_CACHE_CONTENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/shared/byte_account.h"

namespace portico::cache {

// The content of one response, in pieces that never move: what came already can be sent (base::Slice::Borrow) while
// more comes. One thread fills it; once it is stored nobody does any more, and any thread reads.
class Content {
 public:
  static constexpr size_t kPieceBytesMax = 64 * 1024;

  explicit Content(shared::ByteHold hold) : hold_(std::move(hold)) {}
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;

  // What its memory is counted by; whoever fills it grows it first.
  shared::ByteHold& hold() { return hold_; }
  size_t held_bytes() const { return hold_.bytes(); }
  // What memory the next Append of `bytes` takes more. `expected`: how long the whole will be, 0 if nobody knows; then
  // pieces double, so that no more than half of the memory is empty.
  size_t BytesFor(size_t bytes, uint64_t expected) const;
  void Append(std::string_view bytes, uint64_t expected);

  uint64_t size() const { return size_; }
  // What stands at `offset` in one run; "" at the end.
  std::string_view RunAt(uint64_t offset) const;

 private:
  struct Piece {
    std::unique_ptr<char[]> memory;
    size_t capacity;
    uint64_t offset;  // of its first byte in the whole
  };

  size_t NextCapacity(uint64_t size, size_t bytes, uint64_t expected) const;
  size_t room() const;

  shared::ByteHold hold_;
  std::vector<Piece> pieces_;
  uint64_t size_ = 0;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CONTENT_H_
