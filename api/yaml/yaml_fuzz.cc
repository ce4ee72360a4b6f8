// Any text is read without a crash, and whatever is accepted prints as text that reads back as the same resource.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "api/base/check.h"
#include "api/yaml/limits.h"
#include "api/yaml/print.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "google/protobuf/util/message_differencer.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  portico::yaml::Limits limits;
  limits.text_bytes_max = 1 << 16;
  portico::yaml::Problems problems(limits.problems_max);
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  for (const portico::yaml::Document& document : ReadText(text, "fuzz.yaml", limits, problems)) {
    const auto printed = portico::yaml::Print(document.resource);
    if (!printed.ok()) continue;
    portico::yaml::Problems again(limits.problems_max);
    const auto read = ReadText(*printed, "again.yaml", portico::yaml::Limits(), again);
    PORTICO_CHECK(again.empty() && read.size() == 1, "what was printed does not read back");
    PORTICO_CHECK(google::protobuf::util::MessageDifferencer::Equals(read[0].resource, document.resource),
                  "what was printed reads back as something else");
  }
  return 0;
}
