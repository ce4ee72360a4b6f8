#ifndef PORTICO_CONTROLPLANE_XDS_ADMISSION_H_
#define PORTICO_CONTROLPLANE_XDS_ADMISSION_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"

namespace portico::xds {

// Who opened a stream.
struct Peer {
  std::string address;         // "127.0.0.1:4711"
  bool authenticated = false;  // by TLS; without it the server listens on a loopback address only
  // The URI names of the certificate.
  std::vector<std::string> uris = {};
};

// Whose places a stream takes: the address without its port, and what the certificate names. Proxies behind one address
// of a load balancer are one.
std::string HolderOf(const Peer& peer);

// "portico://gateway/NAMESPACE/NAME".
std::string IdentityOf(const check::ResourceKey& gateway);

// The name by which the peer may have the gateway's configuration, secrets included; empty without TLS.
// kPermissionDenied: its certificate names another, or none.
absl::StatusOr<std::string> Admit(const Peer& peer, const check::ResourceKey& gateway);

}  // namespace portico::xds

#endif  // PORTICO_CONTROLPLANE_XDS_ADMISSION_H_
