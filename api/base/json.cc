#include "api/base/json.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include "api/base/check.h"

namespace portico::base {
namespace {

// Up to here a member is found by looking at each; above, the names are sorted once and searched.
constexpr size_t kSmallObjectMembers = 8;

uint16_t DepthOver(size_t deepest) {
  PORTICO_CHECK(deepest < kJsonDepthMax);
  return static_cast<uint16_t>(deepest + 1);
}

// Returns how many members stay.
size_t CopyDistinctSmall(std::span<const JsonMember> from, JsonMember* to) {
  size_t count = 0;
  for (const JsonMember& member : from) {
    const auto same = [&](const JsonMember& other) { return other.name == member.name; };
    JsonMember* place = std::find_if(to, to + count, same);
    *place = member;
    if (place == to + count) ++count;
  }
  return count;
}

void SortByName(const JsonMember* members, std::span<uint32_t> order) {
  std::iota(order.begin(), order.end(), 0u);
  // By place among equal names, so that the last of them ends their run.
  std::sort(order.begin(), order.end(), [members](uint32_t a, uint32_t b) {
    const int compared = members[a].name.compare(members[b].name);
    return compared != 0 ? compared < 0 : a < b;
  });
}

// Fills `order` for the members that stay.
size_t CopyDistinctLarge(std::span<const JsonMember> from, JsonMember* to, std::span<uint32_t> order) {
  SortByName(from.data(), order);
  std::vector<uint32_t> last_of_name(from.size());
  std::vector<bool> stays(from.size(), false);
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && from[order[end]].name == from[order[begin]].name)
      ++end;
    stays[order[begin]] = true;
    last_of_name[order[begin]] = order[end - 1];
  }
  size_t count = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    if (stays[i]) to[count++] = {from[i].name, from[last_of_name[i]].value};
  }
  if (count != from.size()) SortByName(to, order.first(count));
  return count;
}

}  // namespace

Json Json::Bool(bool value) {
  Json json;
  json.type_ = value ? JsonType::kTrue : JsonType::kFalse;
  return json;
}

Json Json::Number(double value) {
  return Number(value, {});
}

Json Json::Number(double value, std::string_view text) {
  Json json;
  json.type_ = JsonType::kNumber;
  json.number_ = value;
  json.extra_ = text.data();
  json.count_ = static_cast<uint32_t>(text.size());
  return json;
}

Json Json::String(std::string_view text) {
  PORTICO_CHECK(text.size() <= UINT32_MAX);
  Json json;
  json.type_ = JsonType::kString;
  json.data_ = text.data();
  json.count_ = static_cast<uint32_t>(text.size());
  return json;
}

Json Json::Array(Arena& arena, std::span<const Json> items) {
  PORTICO_CHECK(items.size() <= UINT32_MAX);
  Json* copy = arena.NewArray<Json>(items.size());
  std::copy(items.begin(), items.end(), copy);
  size_t deepest = 0;
  for (const Json& item : items)
    deepest = std::max(deepest, item.depth());
  Json json;
  json.type_ = JsonType::kArray;
  json.depth_ = DepthOver(deepest);
  json.count_ = static_cast<uint32_t>(items.size());
  json.data_ = copy;
  return json;
}

Json Json::Object(Arena& arena, std::span<const JsonMember> members) {
  PORTICO_CHECK(members.size() <= UINT32_MAX);
  JsonMember* copy = arena.NewArray<JsonMember>(members.size());
  Json json;
  json.type_ = JsonType::kObject;
  json.data_ = copy;
  if (members.size() <= kSmallObjectMembers) {
    json.count_ = static_cast<uint32_t>(CopyDistinctSmall(members, copy));
  } else {
    uint32_t* order = arena.NewArray<uint32_t>(members.size());
    json.extra_ = order;
    json.count_ = static_cast<uint32_t>(CopyDistinctLarge(members, copy, {order, members.size()}));
  }
  size_t deepest = 0;
  for (const JsonMember& member : json.members())
    deepest = std::max(deepest, member.value.depth());
  json.depth_ = DepthOver(deepest);
  return json;
}

const Json* Json::Find(std::string_view name) const {
  if (type_ != JsonType::kObject) return nullptr;
  const std::span<const JsonMember> all = members();
  if (extra_ == nullptr) {
    for (const JsonMember& member : all) {
      if (member.name == name) return &member.value;
    }
    return nullptr;
  }
  const std::span<const uint32_t> order(static_cast<const uint32_t*>(extra_), count_);
  const auto found = std::lower_bound(order.begin(), order.end(), name,
                                      [all](uint32_t place, std::string_view key) { return all[place].name < key; });
  return found != order.end() && all[*found].name == name ? &all[*found].value : nullptr;
}

std::span<const uint32_t> Json::NameOrder(std::span<uint32_t, 8> scratch) const {
  static_assert(kSmallObjectMembers == 8);
  if (extra_ != nullptr) return {static_cast<const uint32_t*>(extra_), count_};
  SortByName(members().data(), scratch.first(count_));
  return scratch.first(count_);
}

}  // namespace portico::base
