#ifndef PORTICO_TOOLS_CTL_SHOW_H_
#define PORTICO_TOOLS_CTL_SHOW_H_

#include "tools/ctl/api_command.h"

namespace portico::ctl {

extern const ApiCommand kGet;
extern const ApiCommand kHistory;
extern const ApiCommand kStatus;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_SHOW_H_
