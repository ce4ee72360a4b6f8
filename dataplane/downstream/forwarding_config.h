#ifndef PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_CONFIG_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_CONFIG_H_

#include <cstddef>
#include <vector>

#include "api/portico/v1/gateway.pb.h"
#include "dataplane/net/address.h"

namespace portico::downstream {

// Spec of the Gateway: clientAddress, forwardedHeaders, via, requestId, trace, serverTiming.
struct ForwardingConfig {
  std::vector<net::Network4Or6> trusted_networks;  // peers whose x-forwarded-* is believed; none by default
  size_t forwarded_hops = 1;                       // the client is the address at this place from the right end
  bool append_forwarded = true;
  bool append_via = true;
  bool generate_request_id = true;
  bool begin_trace = false;
  std::vector<net::Network4Or6> timing_networks;  // spec.serverTiming: clients that may ask; none by default
};

// The message has passed api/check; a network that is none is left out, so it is trusted by nobody.
ForwardingConfig BuildForwardingConfig(const v1::GatewaySpec& spec);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_FORWARDING_CONFIG_H_
