#ifndef PORTICO_TOOLS_CTL_DESCRIBE_H_
#define PORTICO_TOOLS_CTL_DESCRIBE_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl describe`: a resource with all that the rest of the configuration makes of it.
extern const Command kDescribe;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_DESCRIBE_H_
