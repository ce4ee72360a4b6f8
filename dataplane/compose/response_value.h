#ifndef PORTICO_DATAPLANE_COMPOSE_RESPONSE_VALUE_H_
#define PORTICO_DATAPLANE_COMPOSE_RESPONSE_VALUE_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "dataplane/http/fields.h"

namespace portico::compose {

// What the programs see of a response. Pure.

// application/json or any +json (RFC 6839 section 3.1), whatever the parameters.
bool IsJsonType(std::string_view content_type);

// Each field's name to its values, joined by ", ". Values that are no UTF-8 (obs-text, RFC 9110 section 5.5) can't be
// JSON and are left out. Refers to the fields' texts.
base::Json HeaderObject(const http::Fields& fields, base::Arena& arena);

// {status, headers, body}; a status of 0 is null.
base::Json ResponseObject(int status, const base::Json& headers, const base::Json& body, base::Arena& arena);

// The first `bytes_max` bytes, less what would cut a character of UTF-8. For the log: an item is an origin's text.
std::string Shortened(std::string_view text, size_t bytes_max);

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_RESPONSE_VALUE_H_
