#ifndef PORTICO_DATAPLANE_FILTERS_FILTERS_H_
#define PORTICO_DATAPLANE_FILTERS_FILTERS_H_

#include <string>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"
#include "dataplane/filter/filter.h"

namespace portico::filters {

// The filters of a rule, in their order.
struct BuiltChain {
  filter::Chain chain;  // empty: the rule needs none
  std::string fault;    // not "": why one of them answers everything with 503. For the log; clients don't see it
};

// The only place that knows every filter. Everything that a filter's message says of a rule is in `auth`, the Secrets
// and Consumers that it needs in `configuration` within `reach` (ResolvedGateway::reach). Pure; while a snapshot is
// built. Rules with the same policies (their keys) have the same chain.
BuiltChain BuildChain(const resolve::EffectiveAuth& auth, const check::Configuration& configuration,
                      const resolve::Reach& reach);

}  // namespace portico::filters

#endif  // PORTICO_DATAPLANE_FILTERS_FILTERS_H_
