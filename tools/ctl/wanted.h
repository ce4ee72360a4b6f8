#ifndef PORTICO_TOOLS_CTL_WANTED_H_
#define PORTICO_TOOLS_CTL_WANTED_H_

#include <vector>

#include "api/load/load.h"
#include "tools/ctl/command.h"

namespace portico::ctl {

// The flags by which `apply` and `diff` say what they want: -f, --tolerate, --manager, --force, --prune, -l, -n.
std::vector<base::Flag> WantedFlags();

// What is to be stored, and with --prune what is to go. The pieces' dry_run is the caller's to set.
struct Wanted {
  load::Loaded loaded;
  std::vector<portico::v1::ApplyRequest> pieces;
  int code = kGood;  // another one: the files or the words are no good, and it has been said
};

// --prune deletes what has every label of -l, stands in a namespace that the files name (or -n), is not in the files,
// and is the manager's or nobody's; all as of one revision, which the change then expects.
Wanted ReadWanted(const Call& call);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_WANTED_H_
