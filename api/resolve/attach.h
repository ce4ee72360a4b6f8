#ifndef PORTICO_API_RESOLVE_ATTACH_H_
#define PORTICO_API_RESOLVE_ATTACH_H_

#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/resolve/resolved.h"

namespace portico::resolve {

// A Route on a listener, with the hosts it has there.
struct Attachment {
  check::ResourceKey route;
  SharedResource resource;
  size_t listener;                     // place in the Gateway's spec.listeners
  std::vector<std::string> hostnames;  // the intersections, each once
};

// Every attachment to this gateway, by Route and then listener. A parentRef that names the gateway and that no listener
// takes is a notice that says why.
std::vector<Attachment> AttachRoutes(const check::Configuration& configuration, const check::ResourceKey& gateway,
                                     std::vector<Notice>& notices);

}  // namespace portico::resolve

#endif  // PORTICO_API_RESOLVE_ATTACH_H_
