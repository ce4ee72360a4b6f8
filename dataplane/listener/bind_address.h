#ifndef PORTICO_DATAPLANE_LISTENER_BIND_ADDRESS_H_
#define PORTICO_DATAPLANE_LISTENER_BIND_ADDRESS_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/net/address.h"
#include "dataplane/snapshot/snapshot.h"

namespace portico::listener {

// Where a gateway's ports are bound. Pure.
struct BindAddress {
  net::Address address;   // its port is 0
  bool optional = false;  // nobody asked for it by name: a machine that has no such address goes without
};

// Of Snapshot::addresses. If they are empty: all of IPv4, and all of IPv6 where there is such a thing.
std::vector<BindAddress> BindAddresses(const std::vector<net::Address>& addresses);

// What Network::Listen or ProbePort said of the address is no reason to refuse the port.
bool Bearable(const BindAddress& address, const absl::Status& status);

// "http", "shop,admin": the listeners of one port, as metrics and errors call them.
inline constexpr size_t kPortLabelBytesMax = 256;
std::string PortLabel(const snapshot::Port& port);

// "listener http, port 8080: 0.0.0.0:8080: address in use", with the code of `status`.
absl::Status PortError(const snapshot::Port& port, const absl::Status& status);

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_BIND_ADDRESS_H_
