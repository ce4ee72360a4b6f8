#ifndef PORTICO_TOOLS_CTL_SHOW_H_
#define PORTICO_TOOLS_CTL_SHOW_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

extern const Command kGet;
extern const Command kHistory;
extern const Command kStatus;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_SHOW_H_
