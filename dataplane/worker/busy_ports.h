#ifndef PORTICO_DATAPLANE_WORKER_BUSY_PORTS_H_
#define PORTICO_DATAPLANE_WORKER_BUSY_PORTS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "dataplane/snapshot/snapshot.h"

namespace portico::worker {

// What becomes of a port that another process has.
enum class IfBusy : uint8_t {
  kRefuse,  // the configuration
  // At the start (there is nothing yet that could go on): the others serve, and this one is tried again and again.
  // A port that waits already goes on waiting when the configuration changes. What is added later is refused.
  kWait,
};

// Ports that wait: "listener http, port 8080: 0.0.0.0:8080: address in use", by number.
using BusyPorts = std::map<uint16_t, std::string>;

// The same snapshot without these ports, and without what no worker asks of it.
std::shared_ptr<const snapshot::Snapshot> Without(const snapshot::Snapshot& whole, const BusyPorts& busy);

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_BUSY_PORTS_H_
