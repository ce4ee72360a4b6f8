#ifndef PORTICO_DATAPLANE_FILTERS_CORS_CORS_CONFIG_H_
#define PORTICO_DATAPLANE_FILTERS_CORS_CORS_CONFIG_H_

#include <memory>

#include "api/portico/v1/route.pb.h"
#include "dataplane/filters/cors/cors.h"

namespace portico::cors {

// The only place of this folder that knows protobuf. What api/check would not let in (an origin that is none) agrees
// with nobody: less is allowed than was written, never more.
std::shared_ptr<const CorsConfig> BuildCorsConfig(const v1::Cors& message);

}  // namespace portico::cors

#endif  // PORTICO_DATAPLANE_FILTERS_CORS_CORS_CONFIG_H_
