#ifndef PORTICO_API_CHECK_RESOURCE_GATEWAY_H_
#define PORTICO_API_CHECK_RESOURCE_GATEWAY_H_

#include "api/check/resource/report.h"
#include "api/portico/v1/gateway.pb.h"

namespace portico::check {

// What the fields of a Gateway say of each other: names and addresses once, one protocol for each port, TLS where the
// protocol has it and nowhere else. Bounds of single fields are bounds_table.h's.
void CheckGateway(const portico::v1::GatewaySpec& spec, Report& report);

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_RESOURCE_GATEWAY_H_
