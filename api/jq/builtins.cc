#include "api/jq/builtins.h"

#include <algorithm>
#include <array>

#include "api/base/text.h"
#include "api/jq/program.h"

namespace portico::jq {
namespace {

constexpr std::array kBuiltins = {
    Builtin{"add", 0, 0, Function::kAdd, true},
    Builtin{"all", 0, 2, Function::kAll, true},
    Builtin{"any", 0, 2, Function::kAny, true},
    Builtin{"contains", 1, 1, Function::kContains, true},
    Builtin{"empty", 0, 0, Function::kEmpty, false},
    Builtin{"first", 0, 1, Function::kFirst, false},
    Builtin{"flatten", 0, 1, Function::kFlatten, true},
    Builtin{"from_entries", 0, 0, Function::kFromEntries, true},
    Builtin{"group_by", 1, 1, Function::kGroupBy, true},
    Builtin{"has", 1, 1, Function::kHas, true},
    Builtin{"inside", 1, 1, Function::kInside, true},
    Builtin{"join", 1, 1, Function::kJoin, true},
    Builtin{"keys", 0, 0, Function::kKeys, true},
    Builtin{"last", 0, 1, Function::kLast, true},
    Builtin{"length", 0, 0, Function::kLength, true},
    Builtin{"ltrimstr", 1, 1, Function::kLtrimstr, true},
    Builtin{"map", 1, 1, Function::kNone, true},
    Builtin{"max_by", 1, 1, Function::kMaxBy, true},
    Builtin{"min_by", 1, 1, Function::kMinBy, true},
    Builtin{"not", 0, 0, Function::kNot, true},
    Builtin{"range", 1, 3, Function::kRange, false},
    Builtin{"rtrimstr", 1, 1, Function::kRtrimstr, true},
    Builtin{"select", 1, 1, Function::kNone, false},
    Builtin{"sort_by", 1, 1, Function::kSortBy, true},
    Builtin{"split", 1, 1, Function::kSplit, true},
    Builtin{"test", 1, 2, Function::kTest, true},
    Builtin{"to_entries", 0, 0, Function::kToEntries, true},
    Builtin{"tonumber", 0, 0, Function::kTonumber, true},
    Builtin{"tostring", 0, 0, Function::kTostring, true},
    Builtin{"unique", 0, 0, Function::kUniqueBy, true},
    Builtin{"unique_by", 1, 1, Function::kUniqueBy, true},
    Builtin{"with_entries", 1, 1, Function::kNone, true},
};

}  // namespace

const Builtin* FindBuiltin(std::string_view name) {
  const auto found = std::lower_bound(kBuiltins.begin(), kBuiltins.end(), name,
                                      [](const Builtin& builtin, std::string_view key) { return builtin.name < key; });
  return found != kBuiltins.end() && found->name == name ? &*found : nullptr;
}

std::vector<std::string_view> BuiltinNames() {
  std::vector<std::string_view> names;
  for (const Builtin& builtin : kBuiltins)
    names.push_back(builtin.name);
  return names;
}

std::string UnsupportedBuiltin(std::string_view name) {
  const std::vector<std::string_view> names = BuiltinNames();
  const std::string_view nearest = base::NearestName(name, names);
  std::string text = base::Concat("`", name, "` is not supported");
  if (!nearest.empty()) return base::Concat(text, "; did you mean `", nearest, "`?");
  text += "; supported builtins are ";
  for (size_t i = 0; i < names.size(); ++i)
    text.append(i == 0 ? "" : ", ").append(names[i]);
  return text;
}

}  // namespace portico::jq
