#ifndef PORTICO_TOOLS_CTL_KEY_H_
#define PORTICO_TOOLS_CTL_KEY_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// Keys of callers (AuthPolicy's apiKey): made here, shown once, stored as digests.
extern const Command kKey;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_KEY_H_
