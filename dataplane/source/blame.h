#ifndef PORTICO_DATAPLANE_SOURCE_BLAME_H_
#define PORTICO_DATAPLANE_SOURCE_BLAME_H_

#include <string_view>

#include "api/check/configuration.h"
#include "api/check/violation.h"

namespace portico::source {

// Which resource of `configuration` the words of BuildSnapshot blame: they begin with it and the field, "Gateway shop:
// spec.limits.x: …". An empty kind: none, and the message is all of the words.
check::Violation BlameOf(std::string_view words, const check::Configuration& configuration);

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_BLAME_H_
