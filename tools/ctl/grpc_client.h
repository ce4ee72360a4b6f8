#ifndef PORTICO_TOOLS_CTL_GRPC_CLIENT_H_
#define PORTICO_TOOLS_CTL_GRPC_CLIENT_H_

#include <memory>

#include "tools/ctl/api_client.h"

namespace portico::ctl {

// An ApiClient over gRPC. It connects with the first call.
std::unique_ptr<ApiClient> MakeGrpcClient(const ApiOptions& options);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_GRPC_CLIENT_H_
