#include "controlplane/fleet/refusals.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::fleet {
namespace {

using portico::v1::Refusal;

constexpr std::string_view kAnd = "and ", kMore = " more";

// How many refusals one stands for: 1, or those of an "and 57 more".
uint64_t CountOf(const Refusal& refusal) {
  std::string_view text = refusal.resource();
  if (!refusal.version().empty() || !text.starts_with(kAnd) || !text.ends_with(kMore)) return 1;
  text.remove_prefix(kAnd.size());
  return base::ParseDecimal(text.substr(0, text.size() - kMore.size())).value_or(1);
}

Refusal Cut(const Refusal& refusal, size_t bytes_max) {
  Refusal cut;
  cut.set_resource(base::Utf8Prefix(refusal.resource(), bytes_max));
  cut.set_version(base::Utf8Prefix(refusal.version(), bytes_max));
  cut.set_reason(base::Utf8Prefix(refusal.reason(), bytes_max));
  return cut;
}

}  // namespace

std::vector<Refusal> Shorten(const std::vector<Refusal>& refusals, const RefusalBounds& bounds) {
  std::vector<Refusal> kept;
  size_t bytes = 0;
  uint64_t more = 0;
  for (const Refusal& refusal : refusals) {
    if (more == 0 && CountOf(refusal) == 1 && kept.size() < bounds.count_max) {
      Refusal cut = Cut(refusal, bounds.text_bytes_max);
      bytes += cut.resource().size() + cut.version().size() + cut.reason().size();
      if (bytes <= bounds.bytes_max) {
        kept.push_back(std::move(cut));
        continue;
      }
    }
    more += CountOf(refusal);
  }
  if (more > 0) kept.emplace_back().set_resource(base::Concat(kAnd, more, kMore));
  return kept;
}

}  // namespace portico::fleet
