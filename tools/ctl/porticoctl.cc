#include "tools/ctl/porticoctl.h"

#include <string_view>

#include "api/base/text.h"
#include "tools/ctl/cache.h"
#include "tools/ctl/change.h"
#include "tools/ctl/completion.h"
#include "tools/ctl/describe.h"
#include "tools/ctl/diff.h"
#include "tools/ctl/explain.h"
#include "tools/ctl/fields.h"
#include "tools/ctl/key.h"
#include "tools/ctl/show.h"
#include "tools/ctl/test.h"
#include "tools/ctl/token.h"
#include "tools/ctl/validate.h"
#include "tools/ctl/watch.h"

namespace portico::ctl {
namespace {

constexpr char kVersion[] = "porticoctl 0.1.0\n";

constexpr char kHelp[] = R"(usage: porticoctl COMMAND [FLAGS]

commands that ask a control plane:
  apply       store resources
  diff        what apply would change
  get         what is stored
  describe    a resource, and what the rest of the configuration makes of it
  delete      delete resources
  explain     which rule a request wins, why the others lose, which policies hold; also of files
  history     the revisions, who made them and when
  rollback    make an old revision hold again
  status      the proxies and what they run
  watch       the changes as they are made
  key         create a caller's key, shown once
  token       make a bearer token for a program
  cache       have proxies forget what they have stored
and others:
  validate    judge a configuration: file, line and field of everything that is wrong
  test        what a configuration decides about requests, against what it should
  fields      what may be written in a resource
  completion  a script for bash, zsh or fish

  porticoctl COMMAND --help   the flags of a command
  porticoctl --version

exit codes: 0 good, 1 the operation failed, 2 wrong usage (of diff: 0 nothing differs, 1 something does, 2 it failed;
of test: 0 all hold, 1 one does not, 2 it could not be asked)
)";

constexpr const Command* kCommands[] = {&kApply,   &kDiff,     &kGet,    &kDescribe, &kDelete,    &kExplain,
                                        &kHistory, &kRollback, &kStatus, &kWatch,    &kKey,       &kToken,
                                        &kCache,   &kValidate, &kTest,   &kFields,   &kCompletion};

int Refuse(std::string_view command, const Console& console) {
  std::vector<std::string_view> names;
  for (const Command* each : kCommands)
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
  for (const Command* each : kCommands) {
    if (command == each->name) return RunCommand(*each, rest, console);
  }
  if (command == "--help" || command == "-h" || command == "help") {
    console.out << kHelp;
    return kGood;
  }
  if (command == "--version") {
    console.out << kVersion;
    return kGood;
  }
  if (command == kCompleteWord) {
    Complete(kCommands, rest, console);
    return kGood;
  }
  return Refuse(command, console);
}

}  // namespace portico::ctl
