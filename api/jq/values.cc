#include "api/jq/values.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::jq {

using base::Concat;
using base::Json;
using base::JsonMember;
using base::JsonType;

namespace {

constexpr size_t kDescribedBytesMax = 14;

int Sign(int compared) {
  return compared < 0 ? -1 : compared > 0 ? 1 : 0;
}

int CompareNumbers(double a, double b) {
  if (std::isnan(a)) return -1;
  if (std::isnan(b)) return 1;
  return a < b ? -1 : a == b ? 0 : 1;
}

int CompareArrays(const Json& a, const Json& b, Budget& budget) {
  const size_t common = std::min(a.items().size(), b.items().size());
  for (size_t i = 0; i < common; ++i) {
    const int compared = Compare(a.items()[i], b.items()[i], budget);
    if (compared != 0 || budget.failed()) return compared;
  }
  return CompareNumbers(static_cast<double>(a.items().size()), static_cast<double>(b.items().size()));
}

int CompareObjects(const Json& a, const Json& b, Budget& budget) {
  std::array<uint32_t, 8> scratch_a;
  std::array<uint32_t, 8> scratch_b;
  const std::span<const uint32_t> order_a = a.NameOrder(scratch_a);
  const std::span<const uint32_t> order_b = b.NameOrder(scratch_b);
  const size_t common = std::min(order_a.size(), order_b.size());
  if (!budget.Spend(common)) return 0;
  for (size_t i = 0; i < common; ++i) {
    const int compared = Sign(a.members()[order_a[i]].name.compare(b.members()[order_b[i]].name));
    if (compared != 0) return compared;
  }
  if (order_a.size() != order_b.size()) return order_a.size() < order_b.size() ? -1 : 1;
  for (size_t i = 0; i < common; ++i) {
    const int compared = Compare(a.members()[order_a[i]].value, b.members()[order_b[i]].value, budget);
    if (compared != 0 || budget.failed()) return compared;
  }
  return 0;
}

std::optional<Json> Concatenate(std::span<const Json> a, std::span<const Json> b, Budget& budget) {
  if (!budget.Reserve((a.size() + b.size()) * sizeof(Json))) return std::nullopt;
  std::vector<Json> items(a.begin(), a.end());
  items.insert(items.end(), b.begin(), b.end());
  return budget.MakeArray(items);
}

std::optional<Json> ConcatenateText(std::string_view a, std::string_view b, Budget& budget) {
  if (!budget.Reserve(a.size() + b.size())) return std::nullopt;
  return budget.MakeString(Concat(a, b));
}

std::optional<Json> ConcatenateObjects(const Json& a, const Json& b, Budget& budget) {
  std::vector<JsonMember> members(a.members().begin(), a.members().end());
  members.insert(members.end(), b.members().begin(), b.members().end());
  return budget.MakeObject(members);
}

// Objects on both sides merge member by member; anything else is replaced.
std::optional<Json> Merge(const Json& a, const Json& b, Budget& budget) {
  std::vector<JsonMember> members(a.members().begin(), a.members().end());
  for (const JsonMember& member : b.members()) {
    const Json* old = a.Find(member.name);
    std::optional<Json> value = member.value;
    if (old != nullptr && old->is_object() && value->is_object()) value = Merge(*old, *value, budget);
    if (!value || !budget.Spend()) return std::nullopt;
    members.push_back({member.name, *value});
  }
  return budget.MakeObject(members);
}

std::optional<Json> WithoutItems(const Json& a, const Json& b, Budget& budget) {
  std::vector<Json> items;
  for (const Json& item : a.items()) {
    bool found = false;
    for (const Json& other : b.items()) {
      found = found || Compare(item, other, budget) == 0;
      if (budget.failed()) return std::nullopt;
    }
    if (!found) items.push_back(item);
  }
  return budget.MakeArray(items);
}

// jq 1.6: "ab" * 2.9 is "abab", times anything up to 1 is "ab", and null if not positive.
std::optional<Json> Repeat(std::string_view text, double times, Budget& budget) {
  if (!(times > 0)) return Json();
  if (times * static_cast<double>(text.size()) > static_cast<double>(budget.limits().arena_bytes_max)) {
    return budget.Exhaust("arena_bytes_max");
  }
  const auto count = text.empty() ? 1 : std::max<size_t>(static_cast<size_t>(times), 1);
  if (!budget.Reserve(text.size() * count)) return std::nullopt;
  std::string repeated;
  for (size_t i = 0; i < count; ++i)
    repeated.append(text);
  return budget.MakeString(repeated);
}

std::nullopt_t RaisePair(const Json& a, const Json& b, std::string_view what, Budget& budget) {
  const std::string left = Describe(a, budget);
  return budget.Raise(Concat(left, " and ", Describe(b, budget), " cannot ", what));
}

std::optional<Json> Add(const Json& a, const Json& b, Budget& budget) {
  if (a.is_null()) return b;
  if (b.is_null()) return a;
  if (a.is_number() && b.is_number()) return Json::Number(a.number() + b.number());
  if (a.is_string() && b.is_string()) return ConcatenateText(a.string(), b.string(), budget);
  if (a.is_array() && b.is_array()) return Concatenate(a.items(), b.items(), budget);
  if (a.is_object() && b.is_object()) return ConcatenateObjects(a, b, budget);
  return RaisePair(a, b, "be added", budget);
}

std::optional<Json> Subtract(const Json& a, const Json& b, Budget& budget) {
  if (a.is_number() && b.is_number()) return Json::Number(a.number() - b.number());
  if (a.is_array() && b.is_array()) return WithoutItems(a, b, budget);
  return RaisePair(a, b, "be subtracted", budget);
}

std::optional<Json> Multiply(const Json& a, const Json& b, Budget& budget) {
  if (a.is_number() && b.is_number()) return Json::Number(a.number() * b.number());
  if (a.is_string() && b.is_number()) return Repeat(a.string(), b.number(), budget);
  if (a.is_number() && b.is_string()) return Repeat(b.string(), a.number(), budget);
  if (a.is_object() && b.is_object()) return Merge(a, b, budget);
  return RaisePair(a, b, "be multiplied", budget);
}

std::optional<Json> Divide(const Json& a, const Json& b, Budget& budget) {
  if (a.is_number() && b.is_number()) {
    if (b.number() == 0) return RaisePair(a, b, "be divided because the divisor is zero", budget);
    return Json::Number(a.number() / b.number());
  }
  if (a.is_string() && b.is_string()) return SplitString(a, b, budget);
  return RaisePair(a, b, "be divided", budget);
}

// Towards zero, and held inside 64 bits, where C leaves the conversion undefined.
int64_t ToInteger(double number) {
  constexpr double kLimit = 9223372036854775808.0;
  if (std::isnan(number)) return 0;
  if (number >= kLimit) return INT64_MAX;
  if (number < -kLimit) return INT64_MIN;
  return static_cast<int64_t>(number);
}

std::optional<Json> Remainder(const Json& a, const Json& b, Budget& budget) {
  if (!a.is_number() || !b.is_number()) return RaisePair(a, b, "be divided (remainder)", budget);
  const int64_t divisor = ToInteger(b.number());
  if (divisor == 0) return RaisePair(a, b, "be divided (remainder) because the divisor is zero", budget);
  if (divisor == -1) return Json::Number(0);  // INT64_MIN % -1 traps
  return Json::Number(static_cast<double>(ToInteger(a.number()) % divisor));
}

bool ContainsInner(const Json& a, const Json& b, Budget& budget) {
  if (!budget.Spend()) return false;
  if (a.is_object() && b.is_object()) {
    return std::all_of(b.members().begin(), b.members().end(), [&](const JsonMember& member) {
      const Json* value = a.Find(member.name);
      return value != nullptr && ContainsInner(*value, member.value, budget);
    });
  }
  if (a.is_array() && b.is_array()) {
    return std::all_of(b.items().begin(), b.items().end(), [&](const Json& wanted) {
      return std::any_of(a.items().begin(), a.items().end(),
                         [&](const Json& item) { return ContainsInner(item, wanted, budget); });
    });
  }
  if (a.is_string() && b.is_string()) {
    budget.Spend(a.string().size() / 16);
    return a.string().find(b.string()) != std::string_view::npos;
  }
  return Compare(a, b, budget) == 0;
}

struct Bounds {
  size_t from;
  size_t to;
};

// From below, to above, both inside; negative numbers count from the end.
Bounds SliceBounds(const Json& from, const Json& to, size_t size) {
  const auto length = static_cast<double>(size);
  const auto place = [length](const Json& bound, double if_null) {
    if (bound.is_null()) return if_null;
    const double number = bound.number() < 0 ? bound.number() + length : bound.number();
    return std::isnan(number) ? 0 : std::clamp(number, 0.0, length);
  };
  const double start = place(from, 0);
  const double end = std::max(place(to, length), start);
  return {static_cast<size_t>(start), static_cast<size_t>(std::ceil(end))};
}

std::string_view SliceText(std::string_view text, Bounds bounds) {
  size_t begin = 0;
  for (size_t i = 0; i < bounds.from; ++i)
    begin += base::Utf8CharacterBytes(text.substr(begin));
  size_t end = begin;
  for (size_t i = bounds.from; i < bounds.to; ++i)
    end += base::Utf8CharacterBytes(text.substr(end));
  return text.substr(begin, end - begin);
}

Json ItemAt(const Json& target, double place) {
  const std::span<const Json> items = target.items();
  if (place != std::trunc(place) || std::isinf(place)) return Json();
  if (place < 0) place += static_cast<double>(items.size());
  if (place < 0 || place >= static_cast<double>(items.size())) return Json();
  return items[static_cast<size_t>(place)];
}

}  // namespace

std::string_view TypeName(const Json& value) {
  static constexpr std::array<std::string_view, 7> kNames = {"null",   "boolean", "boolean", "number",
                                                             "string", "array",   "object"};
  return kNames[static_cast<size_t>(value.type())];
}

std::string Describe(const Json& value, Budget& budget) {
  std::string text;
  if (value.is_string() && value.string().size() > 64) {
    // Only the beginning shows: don't print a megabyte for it.
    base::AppendJsonString(text, value.string().substr(0, 64));
  } else {
    base::AppendJson(text, value, 1024);
  }
  budget.Spend(text.size() / 64);
  if (text.size() > kDescribedBytesMax) {
    size_t cut = kDescribedBytesMax - 3;
    while (cut > 0 && !base::IsUtf8(std::string_view(text).substr(0, cut)))
      --cut;
    text.resize(cut);
    text += "...";
  }
  return Concat(TypeName(value), " (", text, ")");
}

int Compare(const Json& a, const Json& b, Budget& budget) {
  if (!budget.Spend()) return 0;
  if (a.type() != b.type()) return a.type() < b.type() ? -1 : 1;
  switch (a.type()) {
    case JsonType::kNumber:
      return CompareNumbers(a.number(), b.number());
    case JsonType::kString:
      budget.Spend(std::min(a.string().size(), b.string().size()) / 64);
      return Sign(a.string().compare(b.string()));
    case JsonType::kArray:
      return CompareArrays(a, b, budget);
    case JsonType::kObject:
      return CompareObjects(a, b, budget);
    default:
      return 0;
  }
}

std::optional<Json> Operate(Operator op, const Json& a, const Json& b, Budget& budget) {
  switch (op) {
    case Operator::kAdd:
      return Add(a, b, budget);
    case Operator::kSubtract:
      return Subtract(a, b, budget);
    case Operator::kMultiply:
      return Multiply(a, b, budget);
    case Operator::kDivide:
      return Divide(a, b, budget);
    case Operator::kRemainder:
      return Remainder(a, b, budget);
    default:
      break;
  }
  const int compared = Compare(a, b, budget);
  if (budget.failed()) return std::nullopt;
  const bool holds = op == Operator::kEqual         ? compared == 0
                     : op == Operator::kNotEqual    ? compared != 0
                     : op == Operator::kLess        ? compared < 0
                     : op == Operator::kLessOrEqual ? compared <= 0
                     : op == Operator::kGreater     ? compared > 0
                                                    : compared >= 0;
  return Json::Bool(holds);
}

std::optional<Json> Negate(const Json& value, Budget& budget) {
  if (value.is_number()) return Json::Number(-value.number());
  return budget.Raise(Concat(Describe(value, budget), " cannot be negated"));
}

std::optional<Json> Index(const Json& target, const Json& key, Budget& budget) {
  if (!budget.Spend()) return std::nullopt;
  if (target.is_null() && (key.is_string() || key.is_number())) return Json();
  if (target.is_array() && key.is_number()) return ItemAt(target, key.number());
  if (target.is_object() && (key.is_string() || key.is_number())) {
    std::string text;
    if (key.is_number()) base::AppendJsonNumber(text, key);
    const Json* value = target.Find(key.is_number() ? text : key.string());
    return value == nullptr ? Json() : *value;
  }
  // What `.[from:to]` is in jq, and what a program may also write.
  if (key.is_object() && !target.is_object()) {
    const Json* from = key.Find("start");
    const Json* to = key.Find("end");
    const Json missing = Json::Bool(false);  // is no bound, as in jq, where null is one
    return Slice(target, from == nullptr ? missing : *from, to == nullptr ? missing : *to, budget);
  }
  if (!key.is_string()) return budget.Raise(Concat("Cannot index ", TypeName(target), " with ", TypeName(key)));
  constexpr size_t kKeyBytesMax = 64;
  const bool cut = key.string().size() > kKeyBytesMax;
  return budget.Raise(
      Concat("Cannot index ", TypeName(target), " with string \"", cut ? std::string_view("...") : key.string(), "\""));
}

std::optional<Json> Slice(const Json& target, const Json& from, const Json& to, Budget& budget) {
  if (target.is_null()) return Json();
  if (!target.is_array() && !target.is_string()) {
    return budget.Raise(Concat("Cannot index ", TypeName(target), " with object"));
  }
  if ((!from.is_null() && !from.is_number()) || (!to.is_null() && !to.is_number())) {
    return budget.Raise(Concat("Start and end indices of an ", TypeName(target), " slice must be numbers"));
  }
  if (target.is_string()) {
    const std::string_view text = target.string();
    if (!budget.Spend(text.size() / 16)) return std::nullopt;
    return Json::String(SliceText(text, SliceBounds(from, to, base::Utf8Length(text))));
  }
  const Bounds bounds = SliceBounds(from, to, target.items().size());
  return budget.MakeArray(target.items().subspan(bounds.from, bounds.to - bounds.from));
}

std::optional<bool> Contains(const Json& a, const Json& b, Budget& budget) {
  if (a.type() != b.type()) return RaisePair(a, b, "have their containment checked", budget);
  const bool contains = ContainsInner(a, b, budget);
  if (budget.failed()) return std::nullopt;
  return contains;
}

std::optional<std::vector<Json>> Elements(const Json& value, Budget& budget) {
  std::vector<Json> elements;
  if (value.is_array()) {
    if (!budget.Spend(value.items().size())) return std::nullopt;
    elements.assign(value.items().begin(), value.items().end());
  } else if (value.is_object()) {
    if (!budget.Spend(value.members().size())) return std::nullopt;
    for (const JsonMember& member : value.members())
      elements.push_back(member.value);
  } else {
    return budget.Raise(Concat("Cannot iterate over ", Describe(value, budget)));
  }
  return elements;
}

std::optional<Json> SplitString(const Json& text, const Json& separator, Budget& budget) {
  if (!text.is_string() || !separator.is_string()) return budget.Raise("split input and separator must be strings");
  std::string_view rest = text.string();
  const std::string_view cut = separator.string();
  std::vector<Json> pieces;
  while (!rest.empty()) {
    const size_t end = cut.empty() ? base::Utf8CharacterBytes(rest) : rest.find(cut);
    const bool last = end == std::string_view::npos;
    pieces.push_back(Json::String(rest.substr(0, end)));
    if (!budget.Spend() || !budget.Reserve(pieces.size() * sizeof(Json))) return std::nullopt;
    if (last) break;
    rest.remove_prefix(end + cut.size());
    // A separator at the very end is followed by one more piece, an empty one.
    if (rest.empty() && !cut.empty()) pieces.push_back(Json::String(rest));
  }
  return budget.MakeArray(pieces);
}

}  // namespace portico::jq
