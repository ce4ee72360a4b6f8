#ifndef PORTICO_TOOLS_CTL_CHANGE_H_
#define PORTICO_TOOLS_CTL_CHANGE_H_

#include <string>

#include "tools/ctl/command.h"

namespace portico::ctl {

extern const Command kApply;
extern const Command kDelete;
extern const Command kRollback;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CHANGE_H_
