#ifndef PORTICO_DATAPLANE_SNAPSHOT_GATEWAY_CONFIG_H_
#define PORTICO_DATAPLANE_SNAPSHOT_GATEWAY_CONFIG_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "api/portico/v1/gateway.pb.h"
#include "dataplane/base/time.h"
#include "dataplane/net/address.h"
#include "dataplane/snapshot/snapshot.h"

namespace portico::snapshot {

// What a Gateway says of all its ports. The defaults are those of api/portico/v1/gateway.proto.
struct GatewayConfig {
  ClientConfig client;
  base::Duration response_head_timeout = std::chrono::seconds(30);  // of every cluster
  std::vector<net::Address> addresses;                              // as Snapshot::addresses
  AccessLogTarget access_log;
  uint64_t cache_bytes_max = 64 << 20;
};

// `bind_address` is for a gateway that names no address of its own. kInvalidArgument: a value out of its bounds or of
// the wrong form, with the field's path in front: "spec.limits.requestFieldsMax: must be 1 to 10000".
absl::StatusOr<GatewayConfig> BuildGatewayConfig(const v1::GatewaySpec& spec,
                                                 const std::optional<net::Address>& bind_address);

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_GATEWAY_CONFIG_H_
