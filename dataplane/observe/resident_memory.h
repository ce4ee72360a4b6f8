#ifndef PORTICO_DATAPLANE_OBSERVE_RESIDENT_MEMORY_H_
#define PORTICO_DATAPLANE_OBSERVE_RESIDENT_MEMORY_H_

#include <cstdint>

namespace portico::observe {

// Memory of this process that is in RAM, in bytes, from /proc; 0 if it can't be told. Reads a file that is never on a
// disk.
int64_t ResidentBytes();

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_RESIDENT_MEMORY_H_
