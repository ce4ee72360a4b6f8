// Lines: values of traceparent. Whatever a client sends, an origin gets a traceparent that is well-formed and one, in
// the client's trace or in one of its own, or none.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/downstream/trace.h"
#include "dataplane/http/fields.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace portico;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto lines = base::Split(input, '\n');
  for (const bool begin : {false, true}) {
    base::Arena arena;
    base::Random random(size);
    http::Fields fields(arena);
    for (const std::string_view line : lines)
      fields.Add("traceparent", line);
    fields.Add("tracestate", "a=1");
    downstream::Trace trace = downstream::JoinTrace(fields, begin, random);
    const bool joined = !trace.parent_span.empty();
    const std::string sent(fields.Combined("traceparent").value_or(""));
    PORTICO_CHECK(!joined || lines.size() == 1, "of two none counts");
    PORTICO_CHECK(joined || begin || sent.empty(), "nobody asked for one");
    PORTICO_CHECK(!(joined || begin) || downstream::IsTraceparent(sent));
    PORTICO_CHECK(fields.Has(http::FieldId::kTracestate) == joined, "it belongs to the trace that it came with");
    PORTICO_CHECK(sent.empty() || sent.substr(3, 32) == trace.id);
    PORTICO_CHECK(!joined || (lines[0].substr(3, 32) == trace.id && lines[0].substr(36, 16) == trace.parent_span));
  }
  return 0;
}
