#ifndef PORTICO_TOOLS_CTL_WATCH_H_
#define PORTICO_TOOLS_CTL_WATCH_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl watch`: the changes as they are made, each told once; a connection that breaks is made again and told
// what came meanwhile.
extern const Command kWatch;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_WATCH_H_
