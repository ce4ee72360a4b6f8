#ifndef PORTICO_API_YAML_PRINT_H_
#define PORTICO_API_YAML_PRINT_H_

#include <string>

#include "absl/status/statusor.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::yaml {

// A resource as one YAML document that reads back as the same message: apiVersion and kind first, then what is set in
// the order of the .proto files, maps by key, texts of several lines as blocks. A Secret's keys are printed like
// anything else: whoever shows a resource to people leaves them out before. kInvalidArgument: no kind, or a value that
// the language cannot write (an unknown number of an enumeration, a negative duration).
absl::StatusOr<std::string> Print(const portico::v1::Resource& resource);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_PRINT_H_
