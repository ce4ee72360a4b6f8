#include "dataplane/grpc/message_framing.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::grpc {
namespace {

using base::Concat;
using base::ToAbsl;

// Moves bytes from the front of `input` to `out` until that has `size` or nothing is left.
void Fill(base::Buffer& input, std::string& out, size_t size) {
  while (out.size() < size && !input.empty()) {
    struct iovec front;
    input.Gather(&front, 1);
    const size_t count = std::min(size - out.size(), front.iov_len);
    out.append(static_cast<const char*>(front.iov_base), count);
    input.Consume(count);
  }
}

}  // namespace

void AppendMessage(std::string_view message, base::Buffer& out) {
  PORTICO_CHECK(message.size() <= UINT32_MAX);
  std::string prefix(1, '\0');
  for (int shift = 24; shift >= 0; shift -= 8)
    prefix.push_back(static_cast<char>(message.size() >> shift & 0xff));
  out.Append(prefix);
  out.Append(message);
}

absl::Status MessageReader::ReadPrefix() {
  const auto flag = static_cast<unsigned char>(prefix_[0]);
  if (flag == 1) return absl::InternalError("a compressed message, which was not asked for");
  if (flag != 0) return absl::InternalError(ToAbsl(Concat("a message with the unknown flag ", int{flag})));
  length_ = 0;
  for (size_t i = 1; i < kPrefixBytes; ++i)
    length_ = length_ << 8 | static_cast<unsigned char>(prefix_[i]);
  if (length_ <= bytes_max_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      ToAbsl(Concat("a message of ", length_, " bytes; at most ", bytes_max_, " are taken")));
}

absl::StatusOr<std::optional<std::string>> MessageReader::Read(base::Buffer& input) {
  if (prefix_.size() < kPrefixBytes) {
    Fill(input, prefix_, kPrefixBytes);
    if (prefix_.size() < kPrefixBytes) return std::nullopt;
  }
  // Looked at again with each piece: what was refused once stays refused.
  if (absl::Status status = ReadPrefix(); !status.ok()) return status;
  Fill(input, message_, length_);
  if (message_.size() < length_) return std::nullopt;
  prefix_.clear();
  return std::exchange(message_, {});
}

}  // namespace portico::grpc
