#ifndef PORTICO_TOOLS_CTL_CHANGE_H_
#define PORTICO_TOOLS_CTL_CHANGE_H_

#include "tools/ctl/api_client.h"
#include "tools/ctl/command.h"

namespace portico::ctl {

// What became of a change: a line for each resource, and the revision; with --wait until it runs. Returns the exit
// code.
int FinishChange(const Call& call, const portico::v1::ApplyResponse& response);

extern const Command kApply;
extern const Command kDelete;
extern const Command kRollback;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CHANGE_H_
