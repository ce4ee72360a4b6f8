#ifndef PORTICO_TOOLS_CTL_PRINT_JSON_H_
#define PORTICO_TOOLS_CTL_PRINT_JSON_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::ctl {

// Resources as JSON with the names and values that YAML has: durations are "250ms", times "2027-01-31T00:00:00Z",
// enumerations as `yaml_name` spells them. One resource is one line without its end; several are a list with a line for
// each. kInvalidArgument: as of yaml::Print.
absl::StatusOr<std::string> ResourceJson(const portico::v1::Resource& resource);
absl::StatusOr<std::string> ResourcesJson(const std::vector<portico::v1::Resource>& resources);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_PRINT_JSON_H_
