#ifndef PORTICO_DATAPLANE_DOWNSTREAM_TRACE_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_TRACE_H_

#include <string_view>

#include "dataplane/base/random.h"
#include "dataplane/call/spans.h"
#include "dataplane/http/fields.h"

namespace portico::downstream {

// The trace that an exchange takes part in (W3C Trace Context, a participating proxy). Texts live in the fields' arena.
struct Trace {
  std::string_view id;           // 32 hexadecimal digits; "" there is no trace
  std::string_view span_id;      // of the exchange, 16 digits
  std::string_view parent_span;  // who asked; "" the trace begins here
  call::Spans spans;             // of the attempts
  char* digits = nullptr;        // where an attempt's id stands in the request's traceparent

  // For one call. This outlives it.
  call::SpanPlace place() { return digits == nullptr ? call::SpanPlace() : call::SpanPlace{&spans, digits}; }
};

// Joins the trace that the request's traceparent names, or begins one if `begin`. Afterwards the fields carry the
// exchange's own span, in version 00, with the flags that are known (sampled, random) as they came; tracestate is
// passed on as it is. One that begins here is sampled: its first span is in the access log, and of "not sampled" most
// services behind would make no span at all (OpenTelemetry's ParentBased). A traceparent that is malformed, or there
// twice, takes tracestate along. Pure but for the ids.
Trace JoinTrace(http::Fields& fields, bool begin, base::Random& random);

bool IsTraceparent(std::string_view text);

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_TRACE_H_
