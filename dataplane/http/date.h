#ifndef PORTICO_DATAPLANE_HTTP_DATE_H_
#define PORTICO_DATAPLANE_HTTP_DATE_H_

#include <optional>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/base/time.h"

namespace portico::http {

// The `date` field's value (IMF-fixdate, RFC 9110 section 5.6.7): "Sun, 06 Nov 1994 08:49:37 GMT". In the arena.
std::string_view FormatDate(base::WallTime time, base::Arena& arena);

// All three forms of RFC 9110 section 5.6.7, to the letter, but for the name of the day, which is not held against the
// date. `now` tells the century of "Sunday, 06-Nov-94 08:49:37 GMT": at most 50 years ahead. nullopt: not a date.
std::optional<base::WallTime> ParseDate(std::string_view text, base::WallTime now);

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_DATE_H_
