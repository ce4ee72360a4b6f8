#include "dataplane/observe/resident_memory.h"

#include <unistd.h>

#include <fstream>

namespace portico::observe {

int64_t ResidentBytes() {
  std::ifstream file("/proc/self/statm");
  int64_t size_pages = 0, resident_pages = 0;
  if (!(file >> size_pages >> resident_pages)) return 0;
  return resident_pages * sysconf(_SC_PAGESIZE);
}

}  // namespace portico::observe
