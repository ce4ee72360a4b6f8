#ifndef PORTICO_API_JQ_BUILTINS_H_
#define PORTICO_API_JQ_BUILTINS_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "api/jq/tree.h"

namespace portico::jq {

// A builtin as a program may call it. Those whose function is kNone are written in terms of others by the parser.
struct Builtin {
  std::string_view name;
  uint8_t arguments_min;
  uint8_t arguments_max;
  Function function;
  bool gives_one;  // one output for each combination of its arguments' outputs
};

// nullptr: not supported.
const Builtin* FindBuiltin(std::string_view name);

// "`limit` is not supported; supported builtins are add, all, ..." or, for a misspelling, the name that was meant.
std::string UnsupportedBuiltin(std::string_view name);

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_BUILTINS_H_
