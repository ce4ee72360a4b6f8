#ifndef PORTICO_CONTROLPLANE_NORTH_ERRORS_H_
#define PORTICO_CONTROLPLANE_NORTH_ERRORS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "controlplane/change/change.h"

namespace portico::north {

// The codes have the same numbers.
grpc::Status ToGrpc(const absl::Status& status);

// With google.rpc.BadRequest in the details: `field` is "Route default/shop: spec.rules[0]". An error is small enough
// for what a gRPC client takes of header fields by default; if not every violation fits, the message says how many do.
grpc::Status ToGrpc(const change::Refusal& refusal);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_ERRORS_H_
