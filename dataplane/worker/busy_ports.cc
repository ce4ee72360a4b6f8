#include "dataplane/worker/busy_ports.h"

namespace portico::worker {

std::shared_ptr<const snapshot::Snapshot> Without(const snapshot::Snapshot& whole, const BusyPorts& busy) {
  auto rest = std::make_shared<snapshot::Snapshot>();
  rest->gateway = whole.gateway;
  rest->revision = whole.revision;
  rest->addresses = whole.addresses;
  for (const std::shared_ptr<const snapshot::Port>& port : whole.ports)
    if (!busy.contains(port->number)) rest->ports.push_back(port);
  rest->clusters = whole.clusters;
  rest->routes = whole.routes;
  rest->access_log = whole.access_log;
  rest->certificates = whole.certificates;
  return rest;
}

}  // namespace portico::worker
