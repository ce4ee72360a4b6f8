#ifndef PORTICO_TOOLS_CTL_FETCH_H_
#define PORTICO_TOOLS_CTL_FETCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/resolve/resolved.h"
#include "tools/ctl/api_client.h"
#include "tools/ctl/command.h"

namespace portico::ctl {

// What a control plane holds at one revision. Secrets hold digests.
struct Fetched {
  check::Configuration configuration;
  uint64_t revision = 0;
  std::string epoch;
  bool partial = false;  // the caller may not read all namespaces
};
// The status is the call's.
absl::StatusOr<Fetched> Fetch(ApiClient& client, const portico::v1::ListRequest& request);

// Says on standard error that it is not all, if that is so: what the whole decides may be otherwise.
void WarnOfPart(const Call& call, bool partial);

// What each of its Gateways makes of it, in their order.
std::vector<resolve::ResolvedGateway> ResolveAll(const check::Configuration& configuration);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_FETCH_H_
