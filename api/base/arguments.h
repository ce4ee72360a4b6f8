#ifndef PORTICO_API_BASE_ARGUMENTS_H_
#define PORTICO_API_BASE_ARGUMENTS_H_

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace portico::base {

// A command line of ours: porticoctl's commands and the proxy speak the same.
//
//   absl::StatusOr<Arguments> arguments = ParseArguments(words, {{.name = "file", .letter = 'f', .required = true}});
//   arguments->Get("file")

// One flag of a command. `--name VALUE`, `--name=VALUE`, and for one with a letter `-f VALUE`, `-fVALUE`.
struct Flag {
  std::string_view name;  // "file"
  char letter = '\0';     // 'f'
  bool has_value = true;
  bool repeated = false;
  bool required = false;
};

// What a command line said. Flags that were not given have no entry; a flag without value has "".
struct Arguments {
  std::map<std::string, std::vector<std::string>, std::less<>> flags;
  std::vector<std::string> words;  // what is neither a flag nor its value

  bool Has(std::string_view name) const { return flags.contains(name); }
  // The flag's only value, or `otherwise`.
  std::string Get(std::string_view name, std::string_view otherwise = "") const;
  const std::vector<std::string>& All(std::string_view name) const;
};

// kInvalidArgument: what is wrong, with the nearest flag for one that is not known. Every command knows --help, which
// makes what is required not so. More than `words_max` words that belong to no flag are wrong.
absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words, const std::vector<Flag>& flags,
                                         size_t words_max = 0);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_ARGUMENTS_H_
