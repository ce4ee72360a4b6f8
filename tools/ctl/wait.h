#ifndef PORTICO_TOOLS_CTL_WAIT_H_
#define PORTICO_TOOLS_CTL_WAIT_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// What --wait does once a change is made: follows the proxies of the gateways that get something of it until all that
// are connected run it, and says so. On a terminal a line of progress stands on standard error meanwhile. Where no
// gateway gets anything there is nothing to wait for, which is good. Returns the exit code.
int Wait(const Call& call, const portico::v1::ApplyResponse& made);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_WAIT_H_
