#ifndef PORTICO_TOOLS_CTL_EXPLAIN_H_
#define PORTICO_TOOLS_CTL_EXPLAIN_H_

#include <string>
#include <vector>

#include "tools/ctl/console.h"

namespace portico::ctl {

// `porticoctl explain`: which rule wins a request, each loser with its reason, and the policies with where they come
// from; by the proxy's own matcher, offline. `words` is what stands after the command's name.
int Explain(const std::vector<std::string>& words, const Console& console);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_EXPLAIN_H_
