#ifndef PORTICO_TOOLS_CTL_INPUT_H_
#define PORTICO_TOOLS_CTL_INPUT_H_

#include "api/load/load.h"
#include "tools/ctl/command.h"

namespace portico::ctl {

// The resources of every -f of a call, each judged by itself: the whole is the control plane's business. "-" is
// standard input.
load::Loaded LoadInput(const Call& call);

// The same by name alone: they must be readable and are not judged, and files that Secrets name are left alone.
load::Loaded ReadInput(const Call& call);

// Lines for people of what is wrong with the files, on standard error. Returns the exit code.
int FailInput(const Call& call, const load::Loaded& loaded);

// What the control plane found wrong, at the lines where it stands.
int FailInput(const Call& call, load::Loaded loaded, const absl::Status& status,
              const std::vector<ApiViolation>& violations);

// What the control plane says is allowed but surely not meant, on standard error.
void PrintWarnings(const Call& call, const portico::v1::ApplyResponse& response);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_INPUT_H_
