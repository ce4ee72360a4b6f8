#ifndef PORTICO_CONTROLPLANE_NORTH_SHOWN_H_
#define PORTICO_CONTROLPLANE_NORTH_SHOWN_H_

#include "api/portico/v1/resource.pb.h"

namespace portico::north {

// A resource as it may be shown: every text of a Secret is replaced by "sha256:…", so that two can be compared and
// nothing can be learned. What is written back like that is refused, since it is no certificate and no key set.
portico::v1::Resource Shown(const portico::v1::Resource& resource);

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_SHOWN_H_
