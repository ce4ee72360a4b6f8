#include <string>

#include "api/base/check.h"
#include "api/base/json.h"

// What parses prints, and what was printed parses to the same text.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  portico::base::Arena arena;
  portico::base::JsonParseOptions options;
  options.replace_lone_surrogates = size % 2 == 1;
  const auto value = portico::base::ParseJson(text, arena, options);
  if (!value.ok()) return 0;
  const std::string printed = *portico::base::PrintJson(*value, SIZE_MAX);
  options.refuse_duplicate_names = true;
  const auto again = portico::base::ParseJson(printed, arena, options);
  PORTICO_CHECK(again.ok());
  PORTICO_CHECK(*portico::base::PrintJson(*again, printed.size()) == printed);
  return 0;
}
