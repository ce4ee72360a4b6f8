// Longer than 300 lines because it is a list: one small function for each builtin.
#include "api/jq/functions.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/base/utf8.h"
#include "api/jq/values.h"

namespace portico::jq {

using base::Concat;
using base::Json;
using base::JsonMember;
using base::JsonType;

namespace {

// A pattern made at run time may not make a large automaton.
constexpr int64_t kPatternMemoryBytesMax = 1 << 20;
constexpr uint64_t kPatternFuel = 1000;

std::optional<Json> Length(const Json& input, Budget& budget) {
  switch (input.type()) {
    case JsonType::kNull:
      return Json::Number(0);
    case JsonType::kNumber:
      return Json::Number(std::fabs(input.number()));
    case JsonType::kString:
      if (!budget.Spend(input.string().size() / 64)) return std::nullopt;
      return Json::Number(static_cast<double>(base::Utf8Length(input.string())));
    case JsonType::kArray:
      return Json::Number(static_cast<double>(input.items().size()));
    case JsonType::kObject:
      return Json::Number(static_cast<double>(input.members().size()));
    default:
      return budget.Raise(Concat(Describe(input, budget), " has no length"));
  }
}

std::optional<Json> Keys(const Json& input, Budget& budget) {
  std::vector<Json> keys;
  if (input.is_object()) {
    std::array<uint32_t, 8> scratch;
    for (const uint32_t place : input.NameOrder(scratch))
      keys.push_back(Json::String(input.members()[place].name));
  } else if (input.is_array()) {
    for (size_t i = 0; i < input.items().size(); ++i)
      keys.push_back(Json::Number(static_cast<double>(i)));
  } else {
    return budget.Raise(Concat(Describe(input, budget), " has no keys"));
  }
  return budget.MakeArray(keys);
}

std::optional<Json> Has(const Json& input, const Json& key, Budget& budget) {
  if (input.is_null()) return Json::Bool(false);
  if (input.is_object() && key.is_string()) return Json::Bool(input.Find(key.string()) != nullptr);
  if (input.is_array() && key.is_number()) {
    const double place = std::trunc(key.number());
    return Json::Bool(place >= 0 && place < static_cast<double>(input.items().size()));
  }
  return budget.Raise(Concat("Cannot check whether ", TypeName(input), " has a ", TypeName(key), " key"));
}

// Texts and arrays are joined at once: adding them one by one would take quadratic memory.
std::optional<Json> AddAll(const Json& input, Budget& budget) {
  const auto elements = Elements(input, budget);
  if (!elements) return std::nullopt;
  const auto all = [&](bool (Json::*is)() const) {
    return std::all_of(elements->begin(), elements->end(), [is](const Json& item) { return (item.*is)(); });
  };
  if (elements->empty()) return Json();
  if (all(&Json::is_string)) {
    std::string text;
    for (const Json& item : *elements) {
      if (!budget.Reserve(text.size() + item.string().size())) return std::nullopt;
      text.append(item.string());
    }
    return budget.MakeString(text);
  }
  if (all(&Json::is_array)) {
    std::vector<Json> items;
    for (const Json& item : *elements) {
      if (!budget.Reserve((items.size() + item.items().size()) * sizeof(Json))) return std::nullopt;
      items.insert(items.end(), item.items().begin(), item.items().end());
    }
    return budget.MakeArray(items);
  }
  std::optional<Json> sum = Json();
  for (size_t i = 0; i < elements->size() && sum; ++i)
    sum = Operate(Operator::kAdd, *sum, (*elements)[i], budget);
  return sum;
}

std::optional<Json> ToString(const Json& input, Budget& budget) {
  if (input.is_string()) return input;
  std::string text;
  if (!base::AppendJson(text, input, budget.limits().arena_bytes_max)) return budget.Exhaust("arena_bytes_max");
  return budget.MakeString(text);
}

// Digits with point and exponent as jq reads them: JSON's, and also `.5` and `5.`.
bool IsNumberText(std::string_view text) {
  if (text.starts_with('-')) text.remove_prefix(1);
  const auto take_digits = [&text] {
    const size_t count = std::min(text.find_first_not_of("0123456789"), text.size());
    text.remove_prefix(count);
    return count;
  };
  size_t digits = take_digits();
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    digits += take_digits();
  }
  if (digits == 0) return false;
  if (!text.starts_with('e') && !text.starts_with('E')) return text.empty();
  text.remove_prefix(1);
  if (text.starts_with('+') || text.starts_with('-')) text.remove_prefix(1);
  return take_digits() > 0 && text.empty();
}

// White space around and a plus are let pass, as in jq. What is a number in JSON too keeps its text.
std::optional<Json> ToNumber(const Json& input, Budget& budget) {
  if (input.is_number()) return input;
  std::string_view text = input.is_string() ? base::TrimSpace(input.string()) : std::string_view();
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!budget.Spend(text.size() / 16)) return std::nullopt;
  if (!IsNumberText(text)) return budget.Raise(Concat(Describe(input, budget), " cannot be parsed as a number"));
  base::Arena scratch(64);
  const bool is_json = text.size() < 400 && base::ParseJson(text, scratch).ok();
  const double number = base::JsonNumberValue(text);
  return is_json ? Json::Number(number, text) : Json::Number(number);
}

// The first is added to "", so that anything but scalars fails in jq's words.
std::optional<Json> JoinAll(const Json& input, const Json& separator, Budget& budget) {
  const auto elements = Elements(input, budget);
  if (!elements) return std::nullopt;
  std::string text;
  for (size_t i = 0; i < elements->size(); ++i) {
    if (i > 0 && !separator.is_null()) {
      if (!separator.is_string()) return Operate(Operator::kAdd, Json::String(text), separator, budget);
      text.append(separator.string());
    }
    const Json& item = (*elements)[i];
    if (item.is_string()) {
      text.append(item.string());
    } else if (item.is_number() || item.is_bool()) {
      base::AppendJson(text, item, SIZE_MAX);
    } else if (!item.is_null()) {
      return Operate(Operator::kAdd, Json::String(text), item, budget);
    }
    if (!budget.Reserve(text.size())) return std::nullopt;
  }
  return budget.MakeString(text);
}

struct TestOptions {
  Json pattern;
  Json flags;
};

// test(pattern), test(pattern; flags), test([pattern, flags]), with jq's errors in jq's order.
std::optional<TestOptions> ReadTestOptions(const Json& input, std::span<const Json> arguments, Budget& budget) {
  TestOptions options{arguments[0], arguments.size() > 1 ? arguments[1] : Json()};
  if (arguments.size() == 1 && options.pattern.is_array() && !options.pattern.items().empty()) {
    const std::span<const Json> items = options.pattern.items();
    options = {items[0], items.size() > 1 ? items[1] : Json()};
  } else if (arguments.size() == 1 && !options.pattern.is_string()) {
    return budget.Raise(Concat(TypeName(options.pattern), " not a string or array"));
  }
  for (const Json& text : {input, options.pattern}) {
    if (!text.is_string())
      return budget.Raise(Concat(Describe(text, budget), " cannot be matched, as it is not a string"));
  }
  if (!options.flags.is_null() && !options.flags.is_string()) {
    return budget.Raise(Concat(Describe(options.flags, budget), " is not a string"));
  }
  if (options.flags.is_string() && options.flags.string().find_first_not_of("gi") != std::string_view::npos) {
    return budget.Raise("test takes the flags g and i alone");
  }
  return options;
}

bool Search(const re2::RE2& pattern, std::string_view text) {
  return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), pattern);
}

std::optional<Json> Test(const Node& call, const Json& input, std::span<const Json> arguments, Budget& budget) {
  const auto options = ReadTestOptions(input, arguments, budget);
  if (!options || !budget.Spend(input.string().size() / 8)) return std::nullopt;
  if (call.pattern != nullptr) return Json::Bool(Search(*call.pattern, input.string()));
  if (!budget.Spend(kPatternFuel + options->pattern.string().size() * 10)) return std::nullopt;
  re2::RE2::Options settings(re2::RE2::Quiet);
  settings.set_max_mem(kPatternMemoryBytesMax);
  settings.set_case_sensitive(!options->flags.is_string() ||
                              options->flags.string().find('i') == std::string_view::npos);
  const std::string_view text = options->pattern.string();
  const re2::RE2 pattern(re2::StringPiece(text.data(), text.size()), settings);
  if (!pattern.ok()) return budget.Raise(Concat("Regex failure: ", pattern.error()));
  return Json::Bool(Search(pattern, input.string()));
}

Json TrimStart(const Json& input, const Json& prefix) {
  if (!input.is_string() || !prefix.is_string() || !input.string().starts_with(prefix.string())) return input;
  return Json::String(input.string().substr(prefix.string().size()));
}

Json TrimEnd(const Json& input, const Json& suffix) {
  if (!input.is_string() || !suffix.is_string() || !input.string().ends_with(suffix.string())) return input;
  return Json::String(input.string().substr(0, input.string().size() - suffix.string().size()));
}

std::optional<Json> ToEntries(const Json& input, Budget& budget) {
  std::vector<Json> entries;
  const auto add = [&](const Json& key, const Json& value) {
    const JsonMember members[] = {{"key", key}, {"value", value}};
    const std::optional<Json> entry = budget.MakeObject(members);
    if (entry) entries.push_back(*entry);
    return entry.has_value();
  };
  if (input.is_object()) {
    for (const JsonMember& member : input.members()) {
      if (!add(Json::String(member.name), member.value)) return std::nullopt;
    }
  } else if (input.is_array()) {
    for (size_t i = 0; i < input.items().size(); ++i) {
      if (!add(Json::Number(static_cast<double>(i)), input.items()[i])) return std::nullopt;
    }
  } else {
    return budget.Raise(Concat(Describe(input, budget), " has no keys"));
  }
  return budget.MakeArray(entries);
}

// .key // .Key // .name // .Name
std::optional<Json> EntryKey(const Json& entry, Budget& budget) {
  std::optional<Json> key;
  for (const std::string_view name : {"key", "Key", "name", "Name"}) {
    key = Index(entry, Json::String(name), budget);
    if (!key || Truthy(*key)) break;
  }
  return key;
}

std::optional<Json> FromEntries(const Json& input, Budget& budget) {
  const auto elements = Elements(input, budget);
  if (!elements) return std::nullopt;
  std::vector<JsonMember> members;
  for (const Json& entry : *elements) {
    const std::optional<Json> key = EntryKey(entry, budget);
    if (!key) return std::nullopt;
    const Json* value = entry.Find("value");
    if (value == nullptr) value = entry.Find("Value");
    if (!key->is_string()) {
      return budget.Raise(Concat("Cannot use ", Describe(*key, budget), " as object key"));
    }
    members.push_back({key->string(), value == nullptr ? Json() : *value});
  }
  return budget.MakeObject(members);
}

bool FlattenInto(std::vector<Json>& out, std::span<const Json> items, const Json& levels, Budget& budget) {
  const bool stop = levels.is_number() && levels.number() == 0;
  for (const Json& item : items) {
    if (!budget.Spend()) return false;
    if (!item.is_array() || stop) {
      out.push_back(item);
      if (!budget.Reserve(out.size() * sizeof(Json))) return false;
      continue;
    }
    const std::optional<Json> fewer = Operate(Operator::kSubtract, levels, Json::Number(1), budget);
    if (!fewer || !FlattenInto(out, item.items(), *fewer, budget)) return false;
  }
  return true;
}

std::optional<Json> Flatten(const Json& input, const Json& levels, Budget& budget) {
  if (Compare(levels, Json::Number(0), budget) < 0) return budget.Raise("flatten depth must not be negative");
  const auto elements = Elements(input, budget);
  std::vector<Json> out;
  if (!elements || !FlattenInto(out, *elements, levels, budget)) return std::nullopt;
  return budget.MakeArray(out);
}

// Stable, and safe whatever the comparison says: std::sort is neither with NaN or without fuel.
void MergeSort(std::span<uint32_t> order, const std::vector<Json>& keys, Budget& budget) {
  if (order.size() < 2 || budget.failed()) return;
  const size_t half = order.size() / 2;
  MergeSort(order.first(half), keys, budget);
  MergeSort(order.subspan(half), keys, budget);
  const std::vector<uint32_t> left(order.begin(), order.begin() + static_cast<ptrdiff_t>(half));
  size_t from_left = 0;
  size_t from_right = half;
  for (uint32_t& place : order) {
    const bool take_right =
        from_left == left.size() || (from_right < order.size() && !budget.failed() &&
                                     Compare(keys[order[from_right]], keys[left[from_left]], budget) < 0);
    if (take_right && from_right == order.size()) return;
    place = take_right ? order[from_right++] : left[from_left++];
  }
}

std::optional<Json> Extreme(std::span<const Json> items, bool smallest, const std::vector<Json>& keys, Budget& budget) {
  if (items.empty()) return Json();
  size_t best = 0;
  for (size_t i = 1; i < items.size(); ++i) {
    const bool less = Compare(keys[i], keys[best], budget) < 0;
    if (less == smallest) best = i;
  }
  if (budget.failed()) return std::nullopt;
  return items[best];
}

std::optional<Json> Sorted(Function function, std::span<const Json> items, const std::vector<Json>& keys,
                           Budget& budget) {
  std::vector<uint32_t> order(items.size());
  std::iota(order.begin(), order.end(), 0u);
  MergeSort(order, keys, budget);
  std::vector<Json> result;
  std::vector<Json> group;
  for (size_t i = 0; i < order.size() && !budget.failed(); ++i) {
    const bool same = i > 0 && Compare(keys[order[i - 1]], keys[order[i]], budget) == 0;
    if (function == Function::kSortBy || (function == Function::kUniqueBy && !same)) result.push_back(items[order[i]]);
    if (function != Function::kGroupBy) continue;
    group.push_back(items[order[i]]);
    const bool ends = i + 1 == order.size() || Compare(keys[order[i]], keys[order[i + 1]], budget) != 0;
    if (!ends) continue;
    const std::optional<Json> array = budget.MakeArray(group);
    if (!array) return std::nullopt;
    result.push_back(*array);
    group.clear();
  }
  return budget.MakeArray(result);
}

}  // namespace

std::optional<Json> ApplyKeyed(Function function, const Json& input, const std::vector<Json>& keys, Budget& budget) {
  const bool extreme = function == Function::kMinBy || function == Function::kMaxBy;
  if (!input.is_array()) {
    const std::optional<Json> all = budget.MakeArray(keys);
    if (!all) return std::nullopt;
    const std::string left = Describe(input, budget);
    return budget.Raise(
        Concat(left, " and ", Describe(*all, budget),
               extreme ? " cannot be iterated over" : " cannot be sorted, as they are not both arrays"));
  }
  if (extreme) return Extreme(input.items(), function == Function::kMinBy, keys, budget);
  return Sorted(function, input.items(), keys, budget);
}

std::optional<Json> Apply(const Node& call, const Json& input, std::span<const Json> arguments, Budget& budget) {
  const auto contains = [&](const Json& a, const Json& b) -> std::optional<Json> {
    const std::optional<bool> result = Contains(a, b, budget);
    if (!result) return std::nullopt;
    return Json::Bool(*result);
  };
  switch (call.function) {
    case Function::kAdd:
      return AddAll(input, budget);
    case Function::kContains:
      return contains(input, arguments[0]);
    case Function::kFlatten:
      return Flatten(input, arguments[0], budget);
    case Function::kFromEntries:
      return FromEntries(input, budget);
    case Function::kHas:
      return Has(input, arguments[0], budget);
    case Function::kInside:
      return contains(arguments[0], input);
    case Function::kJoin:
      return JoinAll(input, arguments[0], budget);
    case Function::kKeys:
      return Keys(input, budget);
    case Function::kLength:
      return Length(input, budget);
    case Function::kLtrimstr:
      return TrimStart(input, arguments[0]);
    case Function::kNot:
      return Json::Bool(!Truthy(input));
    case Function::kRtrimstr:
      return TrimEnd(input, arguments[0]);
    case Function::kSplit:
      return SplitString(input, arguments[0], budget);
    case Function::kTest:
      return Test(call, input, arguments, budget);
    case Function::kToEntries:
      return ToEntries(input, budget);
    case Function::kTonumber:
      return ToNumber(input, budget);
    case Function::kTostring:
      return ToString(input, budget);
    default:
      break;
  }
  PORTICO_CHECK(false, "the machine runs the other builtins itself");
  return std::nullopt;
}

}  // namespace portico::jq
