#include "tools/ctl/completion.h"

#include <algorithm>
#include <memory>
#include <set>
#include <string_view>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "tools/ctl/fetch.h"
#include "tools/ctl/fields.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

constexpr int64_t kNamesTimeoutMs = 1000;  // somebody waits with a finger on the key

constexpr char kHelp[] = R"(usage: porticoctl completion bash|zsh|fish

The script by which a shell completes porticoctl's commands, flags, kinds and names; names are asked of the control plane
that the line names (--api_address and so on), for at most a second.

  bash: source <(porticoctl completion bash)
  zsh:  source <(porticoctl completion zsh)
  fish: porticoctl completion fish | source
)";

// COMP_WORDBREAKS parts words at '=' and ':'; the line itself does not.
constexpr char kBash[] = R"(# porticoctl for bash: source <(porticoctl completion bash)
_porticoctl() {
  local line="${COMP_LINE:0:COMP_POINT}" word
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  word="${words[-1]}"
  local cut=""
  [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && cut="${word%%=*}="
  mapfile -t COMPREPLY < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  COMPREPLY=("${COMPREPLY[@]#"$cut"}")
}
complete -o default -F _porticoctl porticoctl
)";

constexpr char kZsh[] = R"(#compdef porticoctl
# porticoctl for zsh: source <(porticoctl completion zsh)
_porticoctl() {
  local -a found
  found=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then
    compadd -a found
  else
    _files
  fi
}
compdef _porticoctl porticoctl
)";

constexpr char kFish[] = R"(# porticoctl for fish: porticoctl completion fish | source
function __porticoctl_complete
  set -l words (commandline -opc)
  set -l command $words[1]
  set -e words[1]
  $command __complete $words (commandline -ct) 2>/dev/null
end
complete -c porticoctl -a '(__porticoctl_complete)'
)";

int Completion(const Call& call) {
  const std::string shell = call.arguments.words.empty() ? "" : call.arguments.words[0];
  const char* script = shell == "bash" ? kBash : shell == "zsh" ? kZsh : shell == "fish" ? kFish : nullptr;
  if (script == nullptr) return call.WrongUsage("it takes bash, zsh or fish");
  call.console.out << script;
  return kGood;
}

// What a command line says so far.
class Line {
 public:
  Line(const Command& command, const std::vector<std::string>& words, const Console& console)
      : command_(command), flags_(FlagsOf(command)), console_(console), current_(words.back()) {
    for (size_t i = 1; i + 1 < words.size(); ++i)
      i += Take(words[i], i + 2 < words.size() ? &words[i + 1] : nullptr);
  }

  std::vector<std::string> Candidates() const {
    const size_t equals = current_.find('=');
    if (pending_ != nullptr) return ValuesOf(*pending_, "");
    if (current_.starts_with("--") && equals != current_.npos) {
      const base::Flag* flag = Find(std::string_view(current_).substr(2, equals - 2));
      return flag == nullptr ? std::vector<std::string>() : ValuesOf(*flag, current_.substr(0, equals + 1));
    }
    if (current_.starts_with('-')) return FlagNames();
    return Words();
  }

 private:
  const base::Flag* Find(std::string_view name) const {
    const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const auto& flag) { return flag.name == name; });
    return found == flags_.end() ? nullptr : &*found;
  }

  // Returns how many words behind it belong to it. `value` is nullptr where the word to complete stands.
  size_t Take(std::string_view word, const std::string* value) {
    if (!word.starts_with('-')) {
      typed_.words.emplace_back(word);
      return 0;
    }
    const size_t equals = word.find('=');
    const base::Flag* flag = nullptr;
    if (word.starts_with("--")) {
      flag = Find(word.substr(2, equals == word.npos ? word.npos : equals - 2));
    } else {
      const auto found = std::find_if(flags_.begin(), flags_.end(), [&](const base::Flag& each) {
        return word.size() > 1 && each.letter == word[1];
      });
      if (found != flags_.end()) flag = &*found;
    }
    if (flag == nullptr || !flag->has_value) return 0;
    std::vector<std::string>& values = typed_.flags[std::string(flag->name)];
    const bool is_long = word.starts_with("--");
    if (is_long && equals != word.npos) {
      values.emplace_back(word.substr(equals + 1));
    } else if (!is_long && word.size() > 2) {
      values.emplace_back(word.substr(2));
    } else if (value != nullptr) {
      values.push_back(*value);
      return 1;
    } else {
      pending_ = flag;
    }
    return 0;
  }

  std::vector<std::string> FlagNames() const {
    std::vector<std::string> names;
    for (const base::Flag& flag : flags_)
      names.push_back(base::Concat("--", flag.name));
    names.push_back("--help");
    return names;
  }

  std::vector<std::string> ValuesOf(const base::Flag& flag, const std::string& before) const {
    std::vector<std::string> values;
    if (flag.name == "output") values = {"table", "yaml", "json"};
    if (flag.name == "gateway" || flag.name == "namespace") {
      std::set<std::string> names;
      for (const check::ResourceKey& key : Stored(flag.name == "gateway" ? "Gateway" : "", ""))
        names.insert(flag.name == "gateway" ? base::Concat(key.name_space, "/", key.name) : key.name_space);
      values.assign(names.begin(), names.end());
    }
    for (std::string& value : values)
      value = before + value;
    return values;
  }

  std::vector<std::string> Words() const {
    if (command_.words_max <= typed_.words.size()) return {};
    if (command_.name == "completion") return {"bash", "zsh", "fish"};
    if (command_.name == "fields") return CompletePath(current_);
    const bool kinds =
        command_.name == "get" || command_.name == "describe" || command_.name == "delete" || command_.name == "watch";
    if (!kinds) return {};
    if (!typed_.words.empty()) return NamesOf(typed_.words[0]);
    std::vector<std::string> words;
    for (const std::string_view kind : Kinds())
      words.push_back(base::LowerAscii(kind));
    if (command_.name == "get") words.push_back("all");
    return words;
  }

  std::vector<std::string> NamesOf(const std::string& word) const {
    std::vector<std::string> names;
    const absl::StatusOr<std::string> kind = ParseKind(word);
    if (!kind.ok()) return names;
    for (const check::ResourceKey& key : Stored(*kind, typed_.Get("namespace", check::kDefaultNamespace)))
      names.push_back(key.name);
    return names;
  }

  // What the control plane has, or nothing.
  std::vector<check::ResourceKey> Stored(const std::string& kind, const std::string& name_space) const {
    std::vector<check::ResourceKey> keys;
    absl::StatusOr<ApiOptions> options = ReadApiOptions(typed_, console_);
    if (!options.ok()) return keys;
    options->timeout_ms = kNamesTimeoutMs;
    portico::v1::ListRequest request;
    request.set_kind(kind);
    request.set_namespace_(name_space);
    const absl::StatusOr<Fetched> stored = Fetch(*console_.connect(*options), request);
    if (!stored.ok()) return keys;
    for (const auto& [key, resource] : stored->configuration.resources())
      keys.push_back(key);
    return keys;
  }

  const Command& command_;
  const std::vector<base::Flag> flags_;
  const Console& console_;
  const std::string current_;
  base::Arguments typed_;
  const base::Flag* pending_ = nullptr;  // the word to complete is its value
};

}  // namespace

const Command kCompletion = {
    .name = "completion", .help = kHelp, .flags = {}, .words_max = 1, .asks = false, .run = Completion};

void Complete(std::span<const Command* const> commands, const std::vector<std::string>& words, const Console& console) {
  std::vector<std::string> candidates;
  for (const Command* command : commands) {
    if (words.size() == 1) candidates.emplace_back(command->name);
    if (words.size() > 1 && words[0] == command->name) candidates = Line(*command, words, console).Candidates();
  }
  for (const std::string& candidate : candidates) {
    if (!words.empty() && candidate.starts_with(words.back())) console.out << base::Printable(candidate) << "\n";
  }
}

}  // namespace portico::ctl
