#ifndef PORTICO_DATAPLANE_STREAM_OPTIONS_H_
#define PORTICO_DATAPLANE_STREAM_OPTIONS_H_

#include "absl/status/statusor.h"
#include "api/yaml/read.h"
#include "dataplane/options.h"
#include "dataplane/xds/stream_source.h"

namespace portico::proxy {

// What a proxy that is streamed its configuration makes of its flags. `files` outlives the result: certificates are
// read for each stream, on a thread of its own. kInvalidArgument: a flag can't be meant so. kFailedPrecondition: a file
// is not as it should be. Both name the flag.
absl::StatusOr<xds::StreamSource::Options> StreamOptionsOf(const Options& options, yaml::FileReader& files);

}  // namespace portico::proxy

#endif  // PORTICO_DATAPLANE_STREAM_OPTIONS_H_
