#include "api/jq/budget.h"

#include <algorithm>

#include "api/base/text.h"

namespace portico::jq {

using base::Json;
using base::JsonMember;

Budget::Budget(base::Arena& arena, const EvaluateLimits& limits)
    : arena_(arena),
      limits_(limits),
      arena_start_(arena.bytes()),
      depth_max_(std::min(limits.depth_max, base::kJsonDepthMax)),
      fuel_start_(limits.shared_fuel == nullptr ? limits.fuel : std::min(limits.fuel, limits.shared_fuel->left)),
      fuel_(fuel_start_) {}

Budget::~Budget() {
  if (limits_.shared_fuel != nullptr) limits_.shared_fuel->left -= fuel_start_ - fuel_;
}

bool Budget::Spend(uint64_t steps) {
  if (failed_) return false;
  if (steps > fuel_) {
    fuel_ = 0;
    Exhaust("fuel");
    return false;
  }
  fuel_ -= steps;
  return true;
}

bool Budget::Reserve(size_t bytes) {
  if (failed_) return false;
  const size_t used = arena_.bytes() - arena_start_;
  if (used <= limits_.arena_bytes_max && bytes <= limits_.arena_bytes_max - used) return true;
  Exhaust("arena_bytes_max");
  return false;
}

std::optional<Json> Budget::MakeArray(std::span<const Json> items) {
  if (!Spend(items.size()) || !Reserve(items.size_bytes())) return std::nullopt;
  for (const Json& item : items) {
    if (item.depth() >= depth_max_) return Exhaust("depth_max");
  }
  return Json::Array(arena_, items);
}

std::optional<Json> Budget::MakeObject(std::span<const JsonMember> members) {
  if (!Spend(members.size()) || !Reserve(members.size() * (sizeof(JsonMember) + sizeof(uint32_t)))) return std::nullopt;
  for (const JsonMember& member : members) {
    if (member.value.depth() >= depth_max_) return Exhaust("depth_max");
  }
  return Json::Object(arena_, members);
}

std::optional<Json> Budget::MakeString(std::string_view text) {
  if (!Spend(text.size() / 64) || !Reserve(text.size())) return std::nullopt;
  if (text.size() > UINT32_MAX) return Exhaust("bytes of a string");
  return Json::String(arena_.Copy(text));
}

std::nullopt_t Budget::Raise(std::string_view message) {
  if (failed_) return std::nullopt;
  failed_ = true;
  status_ = absl::InvalidArgumentError(base::ToAbsl(message));
  return std::nullopt;
}

std::nullopt_t Budget::Exhaust(std::string_view name) {
  if (failed_ && !caught()) return std::nullopt;
  failed_ = true;
  status_ = absl::ResourceExhaustedError(base::ToAbsl(base::Concat("the expression went over its limit: ", name)));
  return std::nullopt;
}

void Budget::Forgive() {
  failed_ = false;
  status_ = absl::OkStatus();
}

}  // namespace portico::jq
