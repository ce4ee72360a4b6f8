#ifndef PORTICO_TOOLS_CTL_PLAIN_H_
#define PORTICO_TOOLS_CTL_PLAIN_H_

#include "api/portico/v1/resource.pb.h"
#include "controlplane/model/encoding.h"

namespace portico::ctl {

// A resource without what the system writes. One without a kind that this version knows stays as it is.
inline portico::v1::Resource Plain(portico::v1::Resource resource) {
  if (resource.kind_case() != portico::v1::Resource::KIND_NOT_SET) model::ClearSystemFields(resource);
  return resource;
}

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_PLAIN_H_
