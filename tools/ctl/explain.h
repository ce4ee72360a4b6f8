#ifndef PORTICO_TOOLS_CTL_EXPLAIN_H_
#define PORTICO_TOOLS_CTL_EXPLAIN_H_

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl explain`: which rule wins a request, each loser with its reason, and the policies with where they come
// from; by the proxy's own matcher, over files or over what a control plane holds.
extern const Command kExplain;

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_EXPLAIN_H_
