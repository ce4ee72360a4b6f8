#ifndef PORTICO_TOOLS_CTL_VALIDATE_H_
#define PORTICO_TOOLS_CTL_VALIDATE_H_

#include <string>
#include <vector>

#include "tools/ctl/console.h"

namespace portico::ctl {

// `porticoctl validate`: judges files offline. Findings go to standard output, one a line, with a summary at the end.
// `words` is what stands after the command's name.
int Validate(const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_VALIDATE_H_
