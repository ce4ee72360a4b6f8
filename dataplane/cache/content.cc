#include "dataplane/cache/content.h"

#include <algorithm>
#include <cstring>
#include <iterator>
#include <utility>

namespace portico::cache {
namespace {

constexpr size_t kPieceBytesMin = 64;
// A place in the list, which may be twice as long as it is used, and what the heap adds to a piece.
constexpr size_t kPieceOverheadBytes = 64;

}  // namespace

size_t Content::room() const {
  return pieces_.empty() ? 0 : static_cast<size_t>(pieces_.back().offset + pieces_.back().capacity - size_);
}

size_t Content::NextCapacity(uint64_t size, size_t bytes, uint64_t expected) const {
  const uint64_t wanted = expected > size ? expected - size : std::max<uint64_t>({bytes, size, kPieceBytesMin});
  return static_cast<size_t>(std::min<uint64_t>(wanted, kPieceBytesMax));
}

size_t Content::BytesFor(size_t bytes, uint64_t expected) const {
  size_t all = 0;
  uint64_t size = size_;
  for (size_t place = room(); bytes > place;) {
    bytes -= place;
    size += place;
    place = NextCapacity(size, bytes, expected);
    all += place + kPieceOverheadBytes;
  }
  return all;
}

void Content::Append(std::string_view bytes, uint64_t expected) {
  while (!bytes.empty()) {
    if (room() == 0) {
      const size_t capacity = NextCapacity(size_, bytes.size(), expected);
      pieces_.push_back({std::unique_ptr<char[]>(new char[capacity]), capacity, size_});
    }
    const Piece& last = pieces_.back();
    const size_t count = std::min(bytes.size(), room());
    std::memcpy(last.memory.get() + (size_ - last.offset), bytes.data(), count);
    size_ += count;
    bytes.remove_prefix(count);
  }
}

std::string_view Content::RunAt(uint64_t offset) const {
  if (offset >= size_) return {};
  const auto after = std::upper_bound(pieces_.begin(), pieces_.end(), offset,
                                      [](uint64_t at, const Piece& piece) { return at < piece.offset; });
  const Piece& piece = *std::prev(after);
  const uint64_t end = std::min<uint64_t>(piece.offset + piece.capacity, size_);
  return {piece.memory.get() + (offset - piece.offset), static_cast<size_t>(end - offset)};
}

}  // namespace portico::cache
