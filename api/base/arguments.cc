#include "api/base/arguments.h"

#include <algorithm>
#include <optional>

#include "api/base/text.h"

namespace portico::base {
namespace {

template <typename... Pieces>
absl::Status Usage(const Pieces&... pieces) {
  return absl::InvalidArgumentError(ToAbsl(Concat(pieces...)));
}

class Parser {
 public:
  Parser(const std::vector<std::string>& words, const std::vector<Flag>& flags, size_t words_max)
      : words_(words), flags_(flags), words_max_(words_max) {
    flags_.push_back({.name = "help", .letter = 'h', .has_value = false});
  }

  absl::Status Parse() {
    while (next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      absl::Status status = word.starts_with("--")                     ? ParseLong(word.substr(2))
                            : word.size() > 1 && word.starts_with("-") ? ParseShort(word.substr(1))
                                                                       : TakeWord(word);
      if (!status.ok()) return status;
    }
    if (out.Has("help")) return absl::OkStatus();
    for (const Flag& flag : flags_) {
      if (flag.required && !out.Has(flag.name)) return Usage(Name(flag), " is required");
    }
    return absl::OkStatus();
  }

  Arguments out;

 private:
  static std::string Name(const Flag& flag) {
    return flag.letter == '\0' ? Concat("--", flag.name) : Concat("-", flag.letter, " (--", flag.name, ")");
  }

  absl::Status TakeWord(std::string_view word) {
    if (out.words.size() == words_max_) return Usage("unexpected argument `", word, "`");
    out.words.emplace_back(word);
    return absl::OkStatus();
  }

  absl::Status ParseLong(std::string_view word) {
    const size_t equals = word.find('=');
    const std::string_view name = word.substr(0, equals);
    const auto flag = std::find_if(flags_.begin(), flags_.end(), [&](const Flag& each) { return each.name == name; });
    if (flag == flags_.end()) return UnknownLong(name);
    if (equals == std::string_view::npos) return Take(*flag, std::nullopt);
    return Take(*flag, word.substr(equals + 1));
  }

  absl::Status ParseShort(std::string_view word) {
    const auto flag =
        std::find_if(flags_.begin(), flags_.end(), [&](const Flag& each) { return each.letter == word.front(); });
    if (flag == flags_.end()) return Usage("unknown flag `-", word, "`");
    if (word.size() == 1) return Take(*flag, std::nullopt);
    return Take(*flag, word.substr(1));
  }

  absl::Status UnknownLong(std::string_view name) const {
    std::vector<std::string_view> names;
    for (const Flag& flag : flags_)
      names.push_back(flag.name);
    const std::string_view nearest = NearestName(name, names);
    if (nearest.empty()) return Usage("unknown flag `--", name, "`");
    return Usage("unknown flag `--", name, "`; did you mean `--", nearest, "`?");
  }

  absl::Status Take(const Flag& flag, std::optional<std::string_view> value) {
    if (!flag.has_value && value) return Usage(Name(flag), " takes no value");
    if (flag.has_value && !value) {
      if (next_ == words_.size()) return Usage(Name(flag), " needs a value");
      value = words_[next_++];
    }
    if (flag.has_value && value->empty()) return Usage(Name(flag), " has an empty value");
    std::vector<std::string>& values = out.flags[std::string(flag.name)];
    if (!values.empty() && !flag.repeated) return Usage(Name(flag), " is given twice");
    values.emplace_back(value.value_or(""));
    return absl::OkStatus();
  }

  const std::vector<std::string>& words_;
  std::vector<Flag> flags_;
  const size_t words_max_;
  size_t next_ = 0;
};

}  // namespace

std::string Arguments::Get(std::string_view name, std::string_view otherwise) const {
  const auto found = flags.find(name);
  return found == flags.end() ? std::string(otherwise) : found->second.front();
}

const std::vector<std::string>& Arguments::All(std::string_view name) const {
  static const std::vector<std::string> kNone;
  const auto found = flags.find(name);
  return found == flags.end() ? kNone : found->second;
}

absl::StatusOr<Arguments> ParseArguments(const std::vector<std::string>& words, const std::vector<Flag>& flags,
                                         size_t words_max) {
  Parser parser(words, flags, words_max);
  if (absl::Status status = parser.Parse(); !status.ok()) return status;
  return std::move(parser.out);
}

}  // namespace portico::base
