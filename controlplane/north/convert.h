#ifndef PORTICO_CONTROLPLANE_NORTH_CONVERT_H_
#define PORTICO_CONTROLPLANE_NORTH_CONVERT_H_

#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/change/change.h"

namespace portico::north {

// kInvalidArgument: no kind, one that there is not, or no name.
absl::StatusOr<check::ResourceKey> ToKey(const portico::v1::ResourceName& name);

portico::v1::ApplyResponse ToResponse(const change::Outcome& outcome);

// Whether a list or a watch that asks for these is to see a resource.
bool Matches(const portico::v1::ListRequest& request, const check::ResourceKey& key,
             const portico::v1::Resource& resource);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CONVERT_H_
