#ifndef PORTICO_DATAPLANE_DOWNSTREAM_RECORD_FOR_TEST_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_RECORD_FOR_TEST_H_

#include <string>

#include "api/base/text.h"
#include "dataplane/observe/access_log.h"

namespace portico::test {

// A record with its texts copied: "GET /a -> 200 error=… reason=…", aborted ones with " aborted".
struct Record {
  explicit Record(const observe::ExchangeRecord& from)
      : record(from),
        client(from.client),
        protocol(from.protocol),
        tls(from.tls),
        authority(from.authority),
        route(from.route),
        cluster(from.cluster),
        endpoint(from.endpoint),
        request_id(from.request_id),
        subject(from.subject),
        cache(from.cache),
        reason(from.reason),
        retries(from.retries),
        composition(from.composition),
        trace_id(from.trace_id),
        span_id(from.span_id),
        parent_span(from.parent_span) {
    for (const observe::StepRecord& step : from.steps) {
      const std::string count = step.for_each ? base::Concat("(", step.failed, "/", step.items, ")") : "";
      steps += base::Concat(steps.empty() ? "" : " ", step.name, "=", step.outcome, count);
    }
    line = base::Concat(from.method, from.method.empty() ? "" : " ", from.target, from.target.empty() ? "" : " ", "-> ",
                        from.status);
    if (!from.error.empty()) line += base::Concat(" error=", from.error);
    if (from.aborted) line += " aborted";
  }
  observe::ExchangeRecord record;  // its numbers: the texts are gone
  std::string client, protocol, tls, authority, route, cluster, endpoint, request_id, subject, cache, reason, retries;
  std::string composition, steps, trace_id, span_id, parent_span;
  std::string line;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_RECORD_FOR_TEST_H_
