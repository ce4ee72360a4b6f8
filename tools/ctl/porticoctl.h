#ifndef PORTICO_TOOLS_CTL_PORTICOCTL_H_
#define PORTICO_TOOLS_CTL_PORTICOCTL_H_

#include <string>
#include <vector>

#include "tools/ctl/console.h"

namespace portico::ctl {

// The whole program behind main(): chooses the command. `words` are the arguments without the program's name; the
// result is the exit code.
int Porticoctl(const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_PORTICOCTL_H_
