#ifndef PORTICO_CONTROLPLANE_NORTH_SERVER_CREDENTIALS_H_
#define PORTICO_CONTROLPLANE_NORTH_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <functional>
#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "controlplane/north/server_certificates.h"

namespace portico::north {

// What a call without a client's certificate must bring: judges the field `authorization`, "" if there is none.
using Admits = std::function<absl::Status(std::string_view authorization)>;

// TLS 1.2 or newer for clients with a certificate that --client_ca has signed, or also, if there is `admits`, for such
// without one whose every call it lets in; a certificate that is shown must be good either way. gRPC asks for the
// certificates at each new connection, and goes on with the last ones when told that there are no better. (Its file
// watcher drops those that it has before it looks whether what it read is any good.) With `admits` (which is for people
// and programs) a certificate that names a gateway is refused every call (PERMISSION_DENIED): a proxy that could write
// could have any Secret sent to itself. `certificates` must outlive the server. `log` is told of what is wrong and of
// what is new, on threads of gRPC's.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(ServerCertificates& certificates, Admits admits,
                                                               std::function<void(std::string_view)> log);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_SERVER_CREDENTIALS_H_
