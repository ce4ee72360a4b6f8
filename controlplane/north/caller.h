#ifndef PORTICO_CONTROLPLANE_NORTH_CALLER_H_
#define PORTICO_CONTROLPLANE_NORTH_CALLER_H_

#include <grpcpp/server_context.h>

#include <string>

#include "controlplane/change/change.h"

namespace portico::north {

// Who calls: the first URI, DNS name or common name of the client's certificate, or "anonymous"; and from where.
change::Caller CallerOf(const grpc::ServerContextBase& context);

// Whose places a call takes: the author and the address without its port.
std::string HolderOf(const grpc::ServerContextBase& context);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CALLER_H_
