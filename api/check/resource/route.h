#ifndef PORTICO_API_CHECK_RESOURCE_ROUTE_H_
#define PORTICO_API_CHECK_RESOURCE_ROUTE_H_

#include "api/check/resource/report.h"
#include "api/portico/v1/route.pb.h"

namespace portico::check {

// What the fields of a Route say of each other; bounds of single fields are bounds_table.h's.
//
// - A filter is exactly what its type says, and is there once. One of requestRedirect, urlRewrite and directResponse.
// - A rule has backendRefs unless a filter answers, and none then; replacePrefixMatch has a prefix to replace.
// - A name is edited once, and fields of the connection and of framing are not.
// - Paths and expressions are well-formed; backendRequest is not longer than request.
void CheckRoute(const portico::v1::RouteSpec& spec, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_ROUTE_H_
