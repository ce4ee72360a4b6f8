#ifndef PORTICO_DATAPLANE_GRPC_MESSAGE_FRAMING_H_
#define PORTICO_DATAPLANE_GRPC_MESSAGE_FRAMING_H_

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "dataplane/base/buffer.h"

namespace portico::grpc {

// Length-Prefixed-Message of https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md: a byte that says whether
// it is compressed, four bytes of length (big-endian), the message. Sans-I/O. Nothing here is compressed: we say so by
// sending no grpc-accept-encoding.

inline constexpr size_t kPrefixBytes = 5;

// Appends one message. At most 2^32 - 1 bytes.
void AppendMessage(std::string_view message, base::Buffer& out);

// Takes messages out of content that comes in any pieces:
//
//   input.Append(slice);
//   while (…) { auto message = reader.Read(input); if (!message.ok()) give up; if (!message->has_value()) break; … }
//   at the end of the content: reader.between_messages(), else it was cut short
class MessageReader {
 public:
  explicit MessageReader(size_t bytes_max) : bytes_max_(bytes_max) {}

  // Consumes `input` up to the end of the next message, never beyond. nullopt: it is not whole yet, and all of `input`
  // was consumed. An error is for good: kInternal: a flag that we never asked for; kResourceExhausted: a message of
  // more than `bytes_max`, told by its prefix, before any of it is kept.
  absl::StatusOr<std::optional<std::string>> Read(base::Buffer& input);

  bool between_messages() const { return prefix_.empty(); }

 private:
  absl::Status ReadPrefix();

  const size_t bytes_max_;
  std::string prefix_;   // of the message that is being read
  size_t length_ = 0;    // of it, when the prefix is whole
  std::string message_;  // grows with what comes: a prefix alone reserves nothing
};

}  // namespace portico::grpc

#endif  // PORTICO_DATAPLANE_GRPC_MESSAGE_FRAMING_H_
