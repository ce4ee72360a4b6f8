#ifndef PORTICO_TOOLS_CTL_FETCH_H_
#define PORTICO_TOOLS_CTL_FETCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/resolve/resolved.h"
#include "tools/ctl/api_client.h"

namespace portico::ctl {

// What a control plane holds at one revision. Secrets hold digests.
struct Fetched {
  check::Configuration configuration;
  uint64_t revision = 0;
  std::string epoch;
};
// The status is the call's.
absl::StatusOr<Fetched> Fetch(ApiClient& client, const portico::v1::ListRequest& request);

// What each of its Gateways makes of it, in their order.
std::vector<resolve::ResolvedGateway> ResolveAll(const check::Configuration& configuration);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_FETCH_H_
