#ifndef PORTICO_CONTROLPLANE_FLEET_REFUSALS_H_
#define PORTICO_CONTROLPLANE_FLEET_REFUSALS_H_

#include <cstddef>
#include <vector>

#include "api/portico/v1/revision.pb.h"

namespace portico::fleet {

// How much is kept of what a proxy refused.
struct RefusalBounds {
  size_t count_max = 100;
  size_t text_bytes_max = 1024;  // of each of a refusal's texts; the rest is cut off
  size_t bytes_max = 32 * 1024;  // of all texts together: 100 refusals with the reasons that proxies give
};

// Of a proxy that has left: enough to see what was wrong with it, small enough for thousands of them.
inline constexpr RefusalBounds kGoneRefusalBounds = {.count_max = 5, .text_bytes_max = 256, .bytes_max = 1024};

// The first refusals within the bounds and, if those are not all, one more whose resource says how many there are
// beside: "and 57 more". What has been shortened before can be shortened again.
std::vector<portico::v1::Refusal> Shorten(const std::vector<portico::v1::Refusal>& refusals,
                                          const RefusalBounds& bounds);

}  // namespace portico::fleet

#endif  // PORTICO_CONTROLPLANE_FLEET_REFUSALS_H_
