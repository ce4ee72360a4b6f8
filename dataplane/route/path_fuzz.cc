#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/check.h"
#include "dataplane/route/path.h"

// Whatever is accepted is a fixed point, has no empty segment, is told by NeedsNormalising when it was changed, and is
// accepted in every reading.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico::route;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Target target = SplitTarget(text);
  const NormalisedPath normal = NormalisePath(target.path);
  if (normal.status.ok()) {
    PORTICO_CHECK(normal.path == target.path || NeedsNormalising(target.path));
    PORTICO_CHECK(normal.path.find("//") == std::string::npos);
    const NormalisedPath again = NormalisePath(normal.path);
    PORTICO_CHECK(again.status.ok() && again.path == normal.path);
    for (const std::string& reading : OtherReadings(normal.path)) {
      const NormalisedPath read = NormalisePath(reading);
      PORTICO_CHECK(read.status.ok() && read.path == reading && reading != normal.path);
    }
  } else {
    PORTICO_CHECK(NeedsNormalising(target.path));
  }
  FindQueryParameter(target.query, "a");
  HostOf(text);
  return 0;
}
