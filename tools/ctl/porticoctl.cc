#include "tools/ctl/porticoctl.h"

#include <string_view>

#include "api/base/text.h"
#include "tools/ctl/change.h"
#include "tools/ctl/explain.h"
#include "tools/ctl/show.h"
#include "tools/ctl/validate.h"

namespace portico::ctl {
namespace {

constexpr char kVersion[] = "porticoctl 0.1.0\n";

constexpr char kHelp[] = R"(usage: porticoctl COMMAND [FLAGS]

commands:
  validate  judge a configuration: file, line and field of everything that is wrong
  explain   which rule a request wins, why the others lose, which policies hold
  apply     store resources
  get       what is stored
  delete    delete resources
  history   the revisions, who made them and when
  rollback  make an old revision hold again
  status    the proxies and what they run

  porticoctl COMMAND --help   the flags of a command
  porticoctl --version

exit codes: 0 good, 1 the operation failed, 2 wrong usage
)";

// What the design promises and this release does not do, so that the answer is not "unknown".
constexpr std::string_view kNotYet[] = {"describe", "diff", "fields", "watch", "key"};

constexpr const ApiCommand* kApiCommands[] = {&kApply, &kGet, &kDelete, &kHistory, &kRollback, &kStatus};

int Refuse(std::string_view command, const Console& console) {
  for (const std::string_view known : kNotYet) {
    if (command != known) continue;
    console.error << "porticoctl: `" << command << "` is not supported yet\n";
    return kWrongUsage;
  }
  std::vector<std::string_view> names = {"validate", "explain"};
  for (const ApiCommand* each : kApiCommands)
    names.push_back(each->name);
  const std::string_view nearest = base::NearestName(command, names);
  console.error << "porticoctl: unknown command `" << command << "`"
                << (nearest.empty() ? "" : base::Concat("; did you mean `", nearest, "`?")) << "; see --help\n";
  return kWrongUsage;
}

}  // namespace

int Porticoctl(const std::vector<std::string>& words, const Console& console) {
  if (words.empty()) {
    console.error << kHelp;
    return kWrongUsage;
  }
  const std::string& command = words[0];
  const std::vector<std::string> rest(words.begin() + 1, words.end());
  if (command == "validate") return Validate(rest, console);
  if (command == "explain") return Explain(rest, console);
  for (const ApiCommand* each : kApiCommands) {
    if (command == each->name) return RunApiCommand(*each, rest, console);
  }
  if (command == "--help" || command == "-h" || command == "help") {
    console.out << kHelp;
    return kGood;
  }
  if (command == "--version") {
    console.out << kVersion;
    return kGood;
  }
  return Refuse(command, console);
}

}  // namespace portico::ctl
