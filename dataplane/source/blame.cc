#include "dataplane/source/blame.h"

#include <string>

#include "api/base/text.h"

namespace portico::source {

check::Violation BlameOf(std::string_view words, const check::Configuration& configuration) {
  for (const auto& [key, resource] : configuration.resources()) {
    const std::string front = base::Concat(key.ToString(), ": ");
    if (!words.starts_with(front)) continue;
    const std::string_view rest = words.substr(front.size());
    const size_t end = rest.starts_with("spec") ? rest.find(": ") : std::string_view::npos;
    if (end == std::string_view::npos) return {key, "", std::string(rest)};
    return {key, std::string(rest.substr(0, end)), std::string(rest.substr(end + 2))};
  }
  return {{}, "", std::string(words)};
}

}  // namespace portico::source
