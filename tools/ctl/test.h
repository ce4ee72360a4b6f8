#ifndef PORTICO_TOOLS_CTL_TEST_H_
#define PORTICO_TOOLS_CTL_TEST_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl test`: what a configuration decides about requests, against what it should.
extern const Command kTest;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_TEST_H_
