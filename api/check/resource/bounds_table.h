#ifndef PORTICO_API_CHECK_RESOURCE_BOUNDS_TABLE_H_
#define PORTICO_API_CHECK_RESOURCE_BOUNDS_TABLE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

namespace portico::check {

// What a field's value must be by itself. The same words stand in the field's comment in api/portico/v1: a test
// compares them. What several fields together must be is code: gateway, route, cluster, secret, auth_policy,
// rate_limit_policy, composition.

// How many: of a list its items, of a map its entries, of any other field whether it must be there.
struct Count {
  size_t least = 0;
  size_t most = 1;
};
inline constexpr Count kOptional{0, 1};
inline constexpr Count kRequired{1, 1};

struct Number {
  uint64_t least = 0;
  uint64_t most = 0;
};

// Milliseconds. `zero`: 0s is allowed too and means no limit.
struct Time {
  int64_t least_ms = 0;
  int64_t most_ms = 0;
  bool zero = false;
};

// Of a text, each text of a list, or each value of a map. `key`: of a map's keys.
struct Bytes {
  size_t least = 0;
  size_t most = 0;
  size_t key_least = 0;
  size_t key_most = 0;
};

// A text by its grammar; `words` say what it must be.
struct Grammar {
  bool (*accepts)(std::string_view) = nullptr;
  std::string_view words;
};

// One of a few texts, or of a few numbers.
struct Choice {
  std::span<const std::string_view> texts;
  std::span<const uint64_t> numbers;
};

struct Rule {
  std::string_view field;  // "Listener.port": message and field of portico.v1
  Count count;
  std::variant<std::monostate, Number, Time, Bytes, Grammar, Choice> value;
};

// Every rule, in the order of the .proto files. A Composition's own fields stand in composition.cc: most are programs
// and templates.
std::span<const Rule> Rules();
// nullptr: the field may be anything.
const Rule* FindRule(std::string_view field);

// "must be 1 to 65535"; for Choice without what it is not. `rule` has a value.
std::string Words(const Rule& rule);
// "must have 1 to 64 items", "must have at most 16 items".
std::string CountWords(const Count& count);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_BOUNDS_TABLE_H_
