#ifndef PORTICO_TOOLS_CTL_COMPLETION_H_
#define PORTICO_TOOLS_CTL_COMPLETION_H_

#include <span>
#include <string>
#include <vector>

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl completion SHELL`: the script that a shell reads. It knows nothing itself and calls
// `porticoctl __complete WORD…` with what is typed so far, the last word being the one to complete.
extern const Command kCompletion;

// The word by which the scripts call.
inline constexpr std::string_view kCompleteWord = "__complete";

// What may stand in the place of the last of `words`, a line each: commands, flags, kinds, and names as the control
// plane has them if it answers soon. Nothing: the shell may offer files.
void Complete(std::span<const Command* const> commands, const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_COMPLETION_H_
