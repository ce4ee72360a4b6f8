#ifndef PORTICO_TOOLS_CTL_CACHE_H_
#define PORTICO_TOOLS_CTL_CACHE_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

extern const Command kCache;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CACHE_H_
