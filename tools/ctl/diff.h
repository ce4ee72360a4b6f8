#ifndef PORTICO_TOOLS_CTL_DIFF_H_
#define PORTICO_TOOLS_CTL_DIFF_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl diff`: what apply would change. The control plane judges it as a dry run, so that what it would refuse is
// refused here, too.
extern const Command kDiff;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_DIFF_H_
