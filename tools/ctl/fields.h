#ifndef PORTICO_TOOLS_CTL_FIELDS_H_
#define PORTICO_TOOLS_CTL_FIELDS_H_

#include <string>
#include <string_view>
#include <vector>

#include "tools/ctl/command.h"

namespace portico::ctl {

// `porticoctl fields`: what may be written in a resource, from the comments of api/portico/v1 that were built in.
extern const Command kFields;

// What may stand in the place of a last, half-written piece of a path: "Route.spec.ru" -> {"Route.spec.rules"}.
std::vector<std::string> CompletePath(std::string_view path);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_FIELDS_H_
