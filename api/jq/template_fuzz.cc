#include <string>

#include "api/base/check.h"
#include "api/jq/template.h"

// The input is the template and, as the value of each variable, the text around it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using portico::jq::TemplatePlace;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto parsed = portico::jq::Template::Parse(text);
  if (!parsed.ok()) return 0;
  std::vector<portico::jq::Binding> bindings;
  for (const std::string& name : parsed->variables()) {
    bindings.push_back({name, portico::base::Json::String(text)});
  }
  const auto path = parsed->Expand(bindings, TemplatePlace::kPath, 1 << 20);
  const auto header = parsed->Expand(bindings, TemplatePlace::kHeaderValue, 1 << 20);
  (void)parsed->Expand(bindings, TemplatePlace::kQueryValue, 1 << 20);
  if (text.find_first_of("\r\n") != std::string_view::npos && !bindings.empty()) {
    PORTICO_CHECK(!header.ok() || header->size() <= text.size());
  }
  PORTICO_CHECK(!path.ok() || path->size() <= (1 << 20));
  return 0;
}
