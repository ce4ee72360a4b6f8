#ifndef PORTICO_CONTROLPLANE_NORTH_CONVERT_H_
#define PORTICO_CONTROLPLANE_NORTH_CONVERT_H_

#include <string>

#include "absl/status/statusor.h"
#include "api/check/configuration.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/access/rights.h"
#include "controlplane/change/change.h"

namespace portico::north {

// kInvalidArgument: no kind, one that there is not, or no name.
absl::StatusOr<check::ResourceKey> ToKey(const portico::v1::ResourceName& name);

portico::v1::ApplyResponse ToResponse(const change::Outcome& outcome);

// Whether a list or a watch that asks for these is to see a resource.
bool Matches(const portico::v1::ListRequest& request, const check::ResourceKey& key,
             const portico::v1::Resource& resource);

// What a caller may know of a change: what it did in namespaces that it may read; of one that did nothing there its
// revision and time.
portico::v1::RevisionRecord ShownRecord(const portico::v1::RevisionRecord& record, const access::Scope& scope);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CONVERT_H_
