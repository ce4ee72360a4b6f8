#ifndef PORTICO_CONTROLPLANE_NORTH_CREDENTIALS_H_
#define PORTICO_CONTROLPLANE_NORTH_CREDENTIALS_H_

#include <grpcpp/server_context.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "controlplane/access/rights.h"

namespace portico::north {

inline constexpr size_t kTokenBytesMax = 1024;

// What a call shows of its caller: the first URI, DNS name or common name of the client's certificate, and the digest
// of a bearer token. kUnauthenticated: the field `authorization` is there twice, or is not `Bearer` and a token, or
// came in clear from another machine.
absl::StatusOr<access::Credentials> CredentialsOf(const grpc::ServerContextBase& context);

// "127.0.0.1:4711".
std::string PeerOf(const grpc::ServerContextBase& context);

// "Bearer TOKEN" (RFC 6750 section 2.1) -> the token's digest. kUnauthenticated: it is not that. No error shows it.
absl::StatusOr<std::string> DigestOfBearer(std::string_view authorization);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CREDENTIALS_H_
