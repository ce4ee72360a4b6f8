#ifndef PORTICO_TOOLS_CTL_API_COMMAND_H_
#define PORTICO_TOOLS_CTL_API_COMMAND_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "api/base/arguments.h"
#include "tools/ctl/api_client.h"
#include "tools/ctl/console.h"

namespace portico::ctl {

// One run of a command that asks a control plane.
struct Call {
  std::string_view command;
  const base::Arguments& arguments;
  const Console& console;
  ApiClient& client;

  // Says on standard error what is wrong and returns the exit code.
  int WrongUsage(std::string_view what) const;
  int Fail(const absl::Status& status) const;
  // With a line for each violation before it.
  int Fail(const absl::Status& status, const std::vector<ApiViolation>& violations) const;
};

// A command that asks a control plane: its own flags (those that all have come on top) and how many words it takes.
struct ApiCommand {
  std::string_view name;
  std::string_view help;  // the text of --help, without the flags that all have
  std::vector<base::Flag> flags;
  size_t words_max = 0;
  bool prints = false;  // it knows -o table|yaml|json
  int (*run)(const Call& call) = nullptr;
};

int RunApiCommand(const ApiCommand& command, const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_API_COMMAND_H_
