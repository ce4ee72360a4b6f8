#ifndef PORTICO_API_RESOLVE_ATTACH_H_
#define PORTICO_API_RESOLVE_ATTACH_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// The listeners of a gateway that a Route stands on, by their place in the Gateway's spec.listeners, each with the
// hosts that the Route has there (the intersections, each once).
using Attachments = std::map<size_t, std::vector<std::string>>;

// `route` is in the configuration, as is the gateway. A parentRef that names the gateway and that no listener takes is
// a notice that says why.
Attachments AttachRoute(const check::Configuration& configuration, const check::ResourceKey& gateway,
                        const check::ResourceKey& route, std::vector<Notice>& notices);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_ATTACH_H_
