#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/check.h"
#include "dataplane/base/buffer.h"
#include "dataplane/grpc/message_framing.h"

namespace {

using portico::base::Buffer;

constexpr size_t kSplitBytesMax = 512;  // longer input is split in a few places alone

struct Outcome {
  std::vector<std::string> messages;
  bool ok = true, whole = true;
  bool operator==(const Outcome&) const = default;
};

Outcome ReadAll(size_t bytes_max, std::string_view first, std::string_view second) {
  portico::grpc::MessageReader reader(bytes_max);
  Outcome outcome;
  Buffer input;
  for (const std::string_view piece : {first, second}) {
    input.Append(piece);
    while (true) {
      auto message = reader.Read(input);
      outcome.ok = message.ok();
      if (!message.ok()) return outcome;
      if (!message->has_value()) break;
      PORTICO_CHECK((*message)->size() <= bytes_max);
      outcome.messages.push_back(**message);
    }
    PORTICO_CHECK(input.empty());
  }
  outcome.whole = reader.between_messages();
  return outcome;
}

}  // namespace

// The same whatever the split; and what was read, written again, is what came. The first byte is the limit.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const size_t bytes_max = data[0];
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const Outcome outcome = ReadAll(bytes_max, input, "");
  const size_t step = std::max<size_t>(1, input.size() / kSplitBytesMax);
  for (size_t i = 0; i <= input.size(); i += step)
    PORTICO_CHECK(ReadAll(bytes_max, input.substr(0, i), input.substr(i)) == outcome);
  Buffer again;
  for (const std::string& message : outcome.messages)
    portico::grpc::AppendMessage(message, again);
  PORTICO_CHECK(input.starts_with(again.ToString()));
  if (outcome.ok && outcome.whole) PORTICO_CHECK(input.size() == again.size());
  return 0;
}
