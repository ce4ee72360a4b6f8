#ifndef PORTICO_CONTROLPLANE_NORTH_CALLER_H_
#define PORTICO_CONTROLPLANE_NORTH_CALLER_H_

#include <grpcpp/server_context.h>

#include "controlplane/change/change.h"

namespace portico::north {

// Who calls: the first URI, DNS name or common name of the client's certificate, or "anonymous"; and from where.
change::Caller CallerOf(const grpc::ServerContextBase& context);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CALLER_H_
