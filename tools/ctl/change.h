#ifndef PORTICO_TOOLS_CTL_CHANGE_H_
#define PORTICO_TOOLS_CTL_CHANGE_H_

#include <string>

#include "tools/ctl/api_command.h"

namespace portico::ctl {

extern const ApiCommand kApply;
extern const ApiCommand kDelete;
extern const ApiCommand kRollback;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CHANGE_H_
