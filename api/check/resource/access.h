#ifndef PORTICO_API_CHECK_RESOURCE_ACCESS_H_
#define PORTICO_API_CHECK_RESOURCE_ACCESS_H_

#include "api/check/resource/report.h"
#include "api/portico/v1/access.pb.h"

namespace portico::check {

// What the fields of a Role say of each other: a subject is exactly one thing and named once, and only in the default
// namespace is there a Role of all. Bounds of single fields are bounds_table.h's.
void CheckRole(const portico::v1::RoleSpec& spec, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_ACCESS_H_
