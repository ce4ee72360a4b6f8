#ifndef PORTICO_API_CHECK_RESOURCE_SUPPORTED_H_
#define PORTICO_API_CHECK_RESOURCE_SUPPORTED_H_

#include "api/check/violation.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::check {

// Refuses, by the name of the field, what the language has and this release does not do: fields and values marked
// not_yet and value_not_yet, fields that the system alone writes unless `system_fields`, unknown numbers of
// enumerations, and fields this build does not know (a rule half understood is a hole).
Violations CheckSupported(const portico::v1::Resource& resource, bool system_fields);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_SUPPORTED_H_
