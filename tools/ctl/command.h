#ifndef PORTICO_TOOLS_CTL_COMMAND_H_
#define PORTICO_TOOLS_CTL_COMMAND_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/arguments.h"
#include "tools/ctl/api_client.h"
#include "tools/ctl/console.h"

namespace portico::ctl {

// One run of a command.
struct Call {
  std::string_view command;
  const base::Arguments& arguments;
  const Console& console;
  ApiClient* client;  // nullptr: the command asks nobody
  int failed;         // what Fail returns

  // Says on standard error what is wrong and returns the exit code.
  int WrongUsage(std::string_view what) const;
  int Fail(const absl::Status& status) const;
  // With a line for each violation before it.
  int Fail(const absl::Status& status, const std::vector<ApiViolation>& violations) const;
};

// A command: its flags (those of every command that asks a control plane come on top) and how many words it takes.
struct Command {
  std::string_view name;
  std::string_view help;  // the text of --help, without the flags that come on top
  std::vector<base::Flag> flags;
  size_t words_max = 0;
  bool asks = true;      // a control plane
  bool prints = false;   // it knows -o table|yaml|json
  int failed = kFailed;  // the exit code of a failure: diff's 1 says something else
  int (*run)(const Call& call) = nullptr;
};

// Its own and those that come on top.
std::vector<base::Flag> FlagsOf(const Command& command);

// Where the flags, and PORTICO_TOKEN_FILE, say that the control plane is, and who asks. kInvalidArgument: what is wrong
// with the words; kFailedPrecondition: a file that they name can't be read.
absl::StatusOr<ApiOptions> ReadApiOptions(const base::Arguments& arguments, const Console& console);

int RunCommand(const Command& command, const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_COMMAND_H_
