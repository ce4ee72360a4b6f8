#ifndef PORTICO_CONTROLPLANE_NORTH_GATHER_H_
#define PORTICO_CONTROLPLANE_NORTH_GATHER_H_

#include <cstddef>

#include "absl/status/status.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/change/change.h"

namespace portico::north {

// The messages of one Apply, one after the other, as one change.
class Gather {
 public:
  static constexpr size_t kBytesMax = 64 << 20;

  // kResourceExhausted: over kBytesMax or change::kResourcesMax, and so are all after it. kInvalidArgument: a name that
  // is none, or an option that differs from the first message's.
  absl::Status Add(const portico::v1::ApplyRequest& request);

  change::Change Take() { return std::move(change_); }

 private:
  change::Change change_;
  bool begun_ = false;
  size_t bytes_ = 0;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_GATHER_H_
