#ifndef PORTICO_DATAPLANE_TAKEOVER_MESSAGE_H_
#define PORTICO_DATAPLANE_TAKEOVER_MESSAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/net/address.h"

namespace portico::takeover {

// What two processes say to each other; one message is one packet of a Unix socket (SOCK_SEQPACKET), so it needs no
// length. Pure: the descriptors of kSockets travel beside it (channel.h).
//
//   "PTKO" version(1) kind(1) body
//
//   successor  → kAsk                       nothing
//   incumbent  → kSockets, again while more more(1): 0 or 1; the packet carries up to kDescriptorsMax descriptors
//   successor  → kReady                     nothing; its configuration is in force, it accepts nothing yet
//   incumbent  → kGo                        nothing; from now on it lets go only by hearing kServing
//   successor  → kServing                   addresses: family(1: 4 or 6) address(4 or 16) port(2, big-endian)
//   incumbent  → kRefused, at any time      text; it goes on, and the successor ends
//
// The head and kRefused stay as they are in every version, so that each can be told what the other speaks.
struct Message {
  static constexpr uint8_t kVersion = 1;
  static constexpr size_t kBytesMax = 64 * 1024;
  static constexpr size_t kDescriptorsMax = 128;  // of a packet; the kernel takes 253 (SCM_MAX_FD)
  static constexpr size_t kTextBytesMax = 512;
  static constexpr size_t kSocketsMax = 8192;  // of a takeover: 256 workers on 32 addresses

  enum class Kind : uint8_t { kAsk = 1, kSockets = 2, kReady = 3, kGo = 4, kServing = 5, kRefused = 6 };

  Kind kind = Kind::kAsk;
  bool more = false;                    // kSockets
  std::vector<net::Address> addresses;  // kServing
  std::string text;                     // kRefused; longer ones are cut when they are encoded

  bool operator==(const Message&) const = default;
};

// kOutOfRange: it would be longer than kBytesMax.
absl::StatusOr<std::string> Encode(const Message& message);
// kInvalidArgument: what is wrong with it. kFailedPrecondition: it is of another version, and says of which.
absl::StatusOr<Message> Decode(std::string_view bytes);

}  // namespace portico::takeover

#endif  // PORTICO_DATAPLANE_TAKEOVER_MESSAGE_H_
