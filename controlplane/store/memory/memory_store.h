#ifndef PORTICO_CONTROLPLANE_STORE_MEMORY_MEMORY_STORE_H_
#define PORTICO_CONTROLPLANE_STORE_MEMORY_MEMORY_STORE_H_

#include <memory>

#include "controlplane/store/store.h"

namespace portico::store::memory {

// A store that is gone with its process: for trying things out and for tests.
std::unique_ptr<Store> Open();

}  // namespace portico::store::memory

#endif  // PORTICO_CONTROLPLANE_STORE_MEMORY_MEMORY_STORE_H_
