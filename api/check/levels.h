#ifndef PORTICO_API_CHECK_LEVELS_H_
#define PORTICO_API_CHECK_LEVELS_H_

#include <cstdint>
#include <map>
#include <string>

#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// The schema levels that a proxy must have to do what a resource says, each with the path of the first field that needs
// it: "spec.rules[0].retry", "" for the kind itself. What every proxy does needs none.
std::map<uint32_t, std::string> LevelsOf(const portico::v1::Resource& resource);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_LEVELS_H_
