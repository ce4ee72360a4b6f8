#include "controlplane/store/epoch.h"

#include <sys/random.h>

#include "api/base/check.h"
#include "api/base/hex.h"

namespace portico::store {

std::string NewEpoch() {
  std::string bytes(8, '\0');
  PORTICO_CHECK(getrandom(bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size()));
  return base::ToHex(bytes);
}

}  // namespace portico::store
