#ifndef PORTICO_DATAPLANE_XDS_READ_RESOURCE_H_
#define PORTICO_DATAPLANE_XDS_READ_RESOURCE_H_

#include <cstddef>
#include <memory>
#include <string>

#include "api/check/configuration.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::xds {

// A resource as it came, immutable and shared by every set that has it.
struct Received {
  std::string version;                                    // "EPOCH.REVISION"
  std::shared_ptr<const portico::v1::Resource> resource;  // nullptr: refused
  std::string reason;                                     // why: "spec: unknown field 17; this proxy is older …"
  size_t bytes = 0;                                       // of the message on the wire
};

// Pure. `key` is what the stream calls it. Refused is what can't be parsed, what is another resource than its name and
// type say, and what has a field or a value that this build does not know (api/wire/unknown_field).
std::shared_ptr<const Received> ReadResource(const check::ResourceKey& key,
                                             const envoy::service::discovery::v3::Resource& message);

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_READ_RESOURCE_H_
