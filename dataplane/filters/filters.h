#ifndef PORTICO_DATAPLANE_FILTERS_FILTERS_H_
#define PORTICO_DATAPLANE_FILTERS_FILTERS_H_

#include <memory>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/check/violation.h"
#include "api/resolve/resolved.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filters/rate_limit/rate_limit_config.h"

namespace portico::filters {

// The only place that knows every filter. Pure; while a snapshot is built.

// What filters share that ask who is calling: key sets are parsed once, whatever else their rules have.
struct BuiltAuth {
  std::shared_ptr<const filter::FilterConfig> config;  // nullptr: nobody is asked
  std::string fault;  // not "": why it answers everything with 503. For the log; clients don't see it
};
// The Secrets and Consumers that `auth` needs are in `configuration` within `reach` (ResolvedGateway::reach). Rules
// with the same authentication and authorization have the same.
BuiltAuth BuildAuth(const resolve::EffectiveAuth& auth, const check::Configuration& configuration,
                    const resolve::Reach& reach);

// What filters keep that outlives configurations and is of all workers: it counts, so two of it would count half.
// Whoever builds snapshots hands in the same one each time.
struct SharedState {
  std::shared_ptr<rate_limit::RateLimitState> rate_limits = std::make_shared<rate_limit::RateLimitState>();
};

// The filters of a rule, in their order.
struct BuiltChain {
  filter::Chain chain;       // empty: the rule needs none
  check::Violations faults;  // of its policies: why a filter answers everything with 503
};
// `auth` is of these policies. Rules with the same policies (their keys) have the same chain.
BuiltChain BuildChain(const resolve::EffectivePolicies& policies, const BuiltAuth& auth, const SharedState& state);

// The same with what the rule itself says, its filters: those of its policies are shared, its own are not.
filter::Chain ChainOf(const v1::RouteRule& rule, filter::Chain of_policies);

// Names (decoded, lower case) of query parameters that may carry a caller's secret by what any policy within reach
// says.
std::vector<std::string> SecretParameters(const check::Configuration& configuration, const resolve::Reach& reach);

}  // namespace portico::filters

#endif  // PORTICO_DATAPLANE_FILTERS_FILTERS_H_
