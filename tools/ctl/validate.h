#ifndef PORTICO_TOOLS_CTL_VALIDATE_H_
#define PORTICO_TOOLS_CTL_VALIDATE_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl validate`: judges files offline. Findings go to standard output, one a line, with a summary at the end.
extern const Command kValidate;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_VALIDATE_H_
