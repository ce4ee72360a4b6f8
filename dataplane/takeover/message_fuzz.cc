#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/check.h"
#include "dataplane/takeover/message.h"

// What is read is written as something that is read as the same.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::takeover;
  const absl::StatusOr<Message> message = Decode(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!message.ok()) return 0;
  const absl::StatusOr<std::string> bytes = Encode(*message);
  PORTICO_CHECK(bytes.ok());
  const absl::StatusOr<Message> again = Decode(*bytes);
  PORTICO_CHECK(again.ok() && *again == *message);
  return 0;
}
