#ifndef PORTICO_TOOLS_CTL_TOKEN_H_
#define PORTICO_TOOLS_CTL_TOKEN_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

extern const Command kToken;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_TOKEN_H_
