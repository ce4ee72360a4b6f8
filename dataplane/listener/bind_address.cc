#include "dataplane/listener/bind_address.h"

#include "api/base/text.h"

namespace portico::listener {

std::vector<BindAddress> BindAddresses(const std::vector<net::Address>& addresses) {
  if (addresses.empty()) return {{net::Address()}, {net::Address::Parse("::", 0).value(), /*optional=*/true}};
  std::vector<BindAddress> bound;
  for (const net::Address& address : addresses)
    bound.push_back({address.WithPort(0)});
  return bound;
}

// kInvalidArgument is what net/ makes of EAFNOSUPPORT and EADDRNOTAVAIL.
bool Bearable(const BindAddress& address, const absl::Status& status) {
  return status.ok() || (address.optional && status.code() == absl::StatusCode::kInvalidArgument);
}

std::string PortLabel(const snapshot::Port& port) {
  std::string label = base::Join(port.listeners, ",");
  // A metric's label is cut where it is too long, and two that begin alike would be one.
  if (label.size() <= kPortLabelBytesMax) return label;
  return base::Concat(port.listeners.front().substr(0, kPortLabelBytesMax / 2), ",… (", port.listeners.size(),
                      " listeners of port ", port.number, ")");
}

absl::Status PortError(const snapshot::Port& port, const absl::Status& status) {
  return absl::Status(status.code(), base::ToAbsl(base::Concat("listener ", PortLabel(port), ", port ", port.number,
                                                               ": ", base::ToStd(status.message()))));
}

}  // namespace portico::listener
