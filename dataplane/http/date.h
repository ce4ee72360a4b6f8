#ifndef PORTICO_DATAPLANE_HTTP_DATE_H_
#define PORTICO_DATAPLANE_HTTP_DATE_H_

#include <string_view>

#include "api/base/arena.h"
#include "dataplane/base/time.h"

namespace portico::http {

// The `date` field's value (IMF-fixdate, RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". In the arena.
std::string_view FormatDate(base::WallTime time, base::Arena& arena);

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_DATE_H_
