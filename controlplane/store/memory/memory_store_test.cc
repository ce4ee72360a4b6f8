#include "controlplane/store/memory/memory_store.h"

#include "controlplane/store/store_contract.h"
#include "gtest/gtest.h"

namespace portico::store {

INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values([] { return memory::Open(); }));

}  // namespace portico::store
