#ifndef PORTICO_TEST_BUDGET_HEAP_COUNT_H_
#define PORTICO_TEST_BUDGET_HEAP_COUNT_H_

#include <cstdint>

namespace portico::test {

// Counts every allocation of the calling thread, whoever makes it: linking this replaces malloc and operator new in the
// whole binary, libraries included. Not with a sanitizer, which has replaced them already.
struct HeapUse {
  uint64_t allocations = 0;
  uint64_t bytes = 0;
};
HeapUse HeapUseOfThisThread();
bool CountsHeapUse();  // false: there is a sanitizer

// From here on (or no longer) keeps where this process allocates, by size and the callers' addresses. One thread only.
void RecordAllocationSites(bool record);
// "SITE count bytes 0x… 0x…" a line, innermost caller first, addresses relative to the binary: see README.md.
void PrintAllocationSites();

}  // namespace portico::test

#endif  // PORTICO_TEST_BUDGET_HEAP_COUNT_H_
