#ifndef PORTICO_DATAPLANE_WORKER_DEFAULT_WORKERS_H_
#define PORTICO_DATAPLANE_WORKER_DEFAULT_WORKERS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace portico::worker {

// How many workers a process has if nobody says: as many as it may use processors at a time, at least one. A container
// with half a processor on a machine of 64 gets one, not 64 that throttle each other.
size_t DefaultWorkers();

// Pure. `cpu_max` is the content of cgroup v2's cpu.max: "max 100000" or "150000 100000" (microseconds of time in each
// period, the period); what can't be read is no quota. A fraction of a processor counts as one.
size_t WorkersFor(std::string_view cpu_max, size_t processors);

// How many clients' connections a process takes if nobody says: half of the files that it may have open, since each may
// need a connection to an origin, less some for the process itself. At least 1.
size_t DefaultConnectionsMax();
size_t ConnectionsFor(uint64_t open_files_max);

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_DEFAULT_WORKERS_H_
