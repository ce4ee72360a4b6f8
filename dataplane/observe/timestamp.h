#ifndef PORTICO_DATAPLANE_OBSERVE_TIMESTAMP_H_
#define PORTICO_DATAPLANE_OBSERVE_TIMESTAMP_H_

#include <cstdint>
#include <string>

#include "dataplane/base/time.h"

namespace portico::observe {

// "2026-11-25T22:00:00.123Z" (RFC 3339, UTC, milliseconds), as every log shows a time.
void AppendTimestamp(std::string& out, base::WallTime time);

// The number's last `places` digits, with leading zeros.
void AppendDigits(std::string& out, uint64_t number, int places);

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_TIMESTAMP_H_
