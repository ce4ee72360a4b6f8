#ifndef PORTICO_DATAPLANE_DOWNSTREAM_COMPOSITION_INPUT_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_COMPOSITION_INPUT_H_

#include <string>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "dataplane/filter/identity.h"
#include "dataplane/http/message.h"
#include "dataplane/route/path.h"

namespace portico::downstream {

// The variables of a Composition's programs, made of an exchange. Pure. All of it lives in the arena (and what it was
// made of); bytes that are not UTF-8 become U+FFFD.

// $request: {method, scheme, host, path, query, headers}. `path` is the normal path; `query` maps each parameter's name
// to its first value, decoded; `headers` each field's name (lower case) to its values, joined by ", ".
base::Json RequestVariable(const http::RequestHead& head, const route::Target& target, base::Arena& arena);

// $identity: {anonymous, method, subject, issuer, scopes, consumer, groups, claims}. A text that there is none of is
// null.
base::Json IdentityVariable(const filter::Identity& identity, base::Arena& arena);

// The fields that every call of the composition carries on: traceparent, tracestate, x-request-id.
std::vector<std::pair<std::string, std::string>> TracingFields(const http::Fields& fields);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_COMPOSITION_INPUT_H_
