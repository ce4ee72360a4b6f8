#ifndef PORTICO_TOOLS_CTL_PRINT_JSON_H_
#define PORTICO_TOOLS_CTL_PRINT_JSON_H_

#include <string>
#include <vector>

#include "api/portico/v1/resource.pb.h"

namespace portico::ctl {

// Resources as JSON with the names and values that YAML has: durations are "250ms", enumerations as `yaml_name` spells
// them. One line for each resource.
std::string ResourceJson(const portico::v1::Resource& resource);
std::string ResourcesJson(const std::vector<portico::v1::Resource>& resources);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_PRINT_JSON_H_
