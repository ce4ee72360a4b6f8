#ifndef PORTICO_TOOLS_CTL_DECISION_H_
#define PORTICO_TOOLS_CTL_DECISION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/route/match.h"
#include "tools/ctl/cases.pb.h"
#include "tools/ctl/gateway_model.h"
#include "tools/ctl/request.h"

namespace portico::ctl {

// What a proxy decides about one request before it asks anybody, by the proxy's own matcher and authorization. Health,
// limits, caches and contents have no part in it.
struct Decision {
  std::string listener;                     // "": none answers for the host
  const route::RuleMatch* match = nullptr;  // nullptr: no rule wins; lives as long as the model

  int status = 0;      // of the answer that the proxy gives itself; 0: it asks one of `backends`
  std::string reason;  // why, for people; "" for what the rule says itself

  std::string policy;       // "namespace/name" of the AuthPolicy that denies it, "": none does
  std::string denied_rule;  // of its authorization, "default"; "": it is the authentication that denies

  std::string location;                         // of a redirect
  std::vector<const route::Backend*> backends;  // those that have a weight
  std::string path;                             // as the backend is asked for it, without query
  std::string host;
};

// The caller's credentials are taken to be good, where the policy knows their kind. kFailedPrecondition: the gateway
// cannot be asked this, or the caller is not one of the configuration.
absl::StatusOr<Decision> Decide(GatewayModel& model, const Request& request, const Caller& caller);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_DECISION_H_
