#ifndef PORTICO_CONTROLPLANE_LISTEN_PEER_ADDRESS_H_
#define PORTICO_CONTROLPLANE_LISTEN_PEER_ADDRESS_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace portico::listen {

inline constexpr size_t kPeerAddressBytesMax = 256;  // it is kept with every revision and proxy

// "ipv6:%5B::1%5D:4711" -> "[::1]:4711": gRPC writes peers as URIs.
std::string PeerAddress(std::string_view uri);

}  // namespace portico::listen

#endif  // PORTICO_CONTROLPLANE_LISTEN_PEER_ADDRESS_H_
