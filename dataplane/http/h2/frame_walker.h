#ifndef PORTICO_DATAPLANE_HTTP_H2_FRAME_WALKER_H_
#define PORTICO_DATAPLANE_HTTP_H2_FRAME_WALKER_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace portico::http::h2 {

// A frame's first nine bytes (RFC 9113 section 4.1).
struct FrameHeader {
  uint32_t length = 0;
  uint8_t type = 0;
  uint8_t flags = 0;
  uint32_t id = 0;
};

// Finds the frame headers in a connection's bytes, however those are cut. nghttp2 does not tell of frames that it
// ignores (those on closed streams, unknown types), and just those are what a flood is made of.
//
//   while (std::optional<FrameHeader> header = walker.Next(rest)) …  // `rest` now begins right after the header
class FrameWalker {
 public:
  static constexpr size_t kHeaderBytes = 9;

  explicit FrameWalker(size_t preface_bytes) : skip_bytes_(preface_bytes) {}

  // Takes bytes off `rest` up to the end of the next header; nullopt: all of it is taken and no header is whole.
  std::optional<FrameHeader> Next(std::string_view& rest) {
    const size_t skipped = std::min(skip_bytes_, rest.size());
    rest.remove_prefix(skipped);
    skip_bytes_ -= skipped;
    if (skip_bytes_ > 0) return std::nullopt;
    while (!rest.empty() && count_ < kHeaderBytes) {
      bytes_[count_++] = static_cast<uint8_t>(rest.front());
      rest.remove_prefix(1);
    }
    if (count_ < kHeaderBytes) return std::nullopt;
    count_ = 0;
    FrameHeader header;
    header.length = Number(0, 3);
    header.type = bytes_[3];
    header.flags = bytes_[4];
    header.id = Number(5, 4) & 0x7fffffff;
    skip_bytes_ = header.length;
    return header;
  }

 private:
  uint32_t Number(size_t at, size_t size) const {
    uint32_t value = 0;
    for (size_t i = at; i < at + size; ++i)
      value = value << 8 | bytes_[i];
    return value;
  }

  size_t skip_bytes_;  // of the preface or a payload
  size_t count_ = 0;
  uint8_t bytes_[kHeaderBytes] = {};
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_FRAME_WALKER_H_
