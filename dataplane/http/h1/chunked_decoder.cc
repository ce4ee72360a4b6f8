#include "dataplane/http/h1/chunked_decoder.h"

#include <algorithm>

#include "api/base/hex.h"

namespace portico::http::h1 {
namespace {

constexpr size_t kSizeDigitsMax = 16;  // 64 bits, leading zeros included

bool IsControl(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f;
}

}  // namespace

void ChunkedDecoder::Begin() {
  state_ = State::kSize;
  size_ = 0;
  digits_ = 0;
  line_bytes_ = 0;
  overhead_bytes_ = 0;
  content_bytes_ = 0;
}

ChunkedDecoder::Step ChunkedDecoder::Next(std::string_view input, size_t room) {
  size_t used = 0;
  while (used < input.size()) {
    if (state_ == State::kData) {
      const uint64_t count = std::min<uint64_t>({size_, input.size() - used, room});
      size_ -= count;
      content_bytes_ += count;
      if (size_ == 0) state_ = State::kDataCarriageReturn;
      return {Outcome::kMore, used + count, input.substr(used, count)};
    }
    const Verdict verdict = TakeByte(input[used++]);
    if (verdict == Verdict::kMalformed) return {Outcome::kMalformed, used, {}};
    if (verdict == Verdict::kLastChunk) return {Outcome::kLastChunk, used, {}};
  }
  return {Outcome::kMore, used, {}};
}

ChunkedDecoder::Verdict ChunkedDecoder::TakeByte(char c) {
  switch (state_) {
    case State::kSize:
    case State::kExtension:
      return TakeSizeByte(c);
    case State::kSizeLineFeed:
      return c == '\n' ? EndSizeLine() : Verdict::kMalformed;
    case State::kDataCarriageReturn:
      state_ = State::kDataLineFeed;
      return c == '\r' ? Verdict::kGoOn : Verdict::kMalformed;
    case State::kDataLineFeed:
      state_ = State::kSize;
      return c == '\n' ? Verdict::kGoOn : Verdict::kMalformed;
    case State::kData:
    case State::kDone:
      break;
  }
  return Verdict::kMalformed;
}

// No space is taken before ";" or CR: RFC 9112 section 7.1.1 has it only as "bad whitespace". What is inside an
// extension is not looked at, only that no control byte is: a CR there ends the line (no CR in quoted strings).
ChunkedDecoder::Verdict ChunkedDecoder::TakeSizeByte(char c) {
  if (++line_bytes_ > limits_.chunk_head_bytes_max) return Verdict::kMalformed;
  if (c == '\r') {
    if (digits_ == 0) return Verdict::kMalformed;
    state_ = State::kSizeLineFeed;
    return Verdict::kGoOn;
  }
  if (state_ == State::kExtension) return IsControl(c) ? Verdict::kMalformed : Verdict::kGoOn;
  if (c == ';' && digits_ > 0) {
    state_ = State::kExtension;
    return Verdict::kGoOn;
  }
  const int value = base::HexDigit(c);
  if (value < 0 || ++digits_ > kSizeDigitsMax) return Verdict::kMalformed;
  size_ = size_ * 16 + static_cast<uint64_t>(value);
  return Verdict::kGoOn;
}

ChunkedDecoder::Verdict ChunkedDecoder::EndSizeLine() {
  constexpr size_t kLineEndsBytes = 3;  // this LF, and CR LF after the data
  overhead_bytes_ += line_bytes_ + kLineEndsBytes;
  if (overhead_bytes_ > limits_.chunk_overhead_bytes_max + content_bytes_ / 8) return Verdict::kMalformed;
  line_bytes_ = 0;
  digits_ = 0;
  state_ = size_ == 0 ? State::kDone : State::kData;
  return size_ == 0 ? Verdict::kLastChunk : Verdict::kGoOn;
}

}  // namespace portico::http::h1
