#ifndef PORTICO_CONTROLPLANE_STORE_EPOCH_H_
#define PORTICO_CONTROLPLANE_STORE_EPOCH_H_

#include <string>

namespace portico::store {

// The name of a store's life: 16 random hexadecimal digits from the kernel.
std::string NewEpoch();

}  // namespace portico::store

#endif  // PORTICO_CONTROLPLANE_STORE_EPOCH_H_
