#include "dataplane/downstream/max_forwards.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

#include "api/base/text.h"

namespace portico::downstream {
namespace {

constexpr std::string_view kMaxForwards = "max-forwards";

// nullopt: the field says nothing.
std::optional<uint64_t> MaxForwards(const http::RequestHead& head) {
  if (head.method != "OPTIONS" && head.method != "TRACE") return std::nullopt;
  const std::optional<std::string_view> value = head.fields.Combined(kMaxForwards);
  if (!value || value->empty()) return std::nullopt;
  if (!std::all_of(value->begin(), value->end(), [](char c) { return c >= '0' && c <= '9'; })) return std::nullopt;
  return base::ParseDecimal(*value).value_or(std::numeric_limits<uint64_t>::max());
}

}  // namespace

bool MeansThisProxy(const http::RequestHead& head) {
  return (head.method == "OPTIONS" && head.path == "*") || MaxForwards(head) == 0u;
}

void DecrementMaxForwards(http::RequestHead& head) {
  const std::optional<uint64_t> left = MaxForwards(head);
  if (left && *left > 0) head.fields.Set(kMaxForwards, base::Concat(*left - 1));
}

}  // namespace portico::downstream
