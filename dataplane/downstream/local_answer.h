#ifndef PORTICO_DATAPLANE_DOWNSTREAM_LOCAL_ANSWER_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_LOCAL_ANSWER_H_

#include <string_view>

#include "dataplane/call/error.h"
#include "dataplane/filter/reply.h"
#include "dataplane/http/codec.h"

namespace portico::downstream {

// The one place where an error becomes a response: a problem document (RFC 9457) with proxy-status (RFC 9209), which
// says "portico; error=…", so that whoever debugs knows that no origin said this, and why. Pure. The reply's `reason`
// is for the access log; clients read only what says nothing of the inside.

// What went wrong with the origin: 502, 503 or 504. The detail (static text) is shown: it names no address. A limit of
// the cluster comes with retry-after.
filter::Reply AnswerFor(const call::Error& error);
// What is wrong with the request, as the codec says: 4xx, 501 or 505, error=http_request_error.
filter::Reply AnswerFor(const http::MessageError& error);
// OPTIONS that asks this proxy and nobody behind it (RFC 9110 section 9.3.7): 204, and TRACE, which it does not do:
// 405.
filter::Reply AnswerForOptions();
filter::Reply AnswerForTrace();
// No rule of the listener agrees: 404.
filter::Reply AnswerForNoRoute();
// The host is not one that this connection's certificate is for: 421 (RFC 9110 section 15.5.20).
filter::Reply AnswerForMisdirected();
// timeouts.request or streamDurationMax is over: 504, error=http_response_timeout.
filter::Reply AnswerForDeadline();
// A step of a Composition failed the whole: 502, or 504 for a timeout. `step` is a name of the language, `reason` the
// composition's own words ("status 503"); no byte of an origin is in them.
filter::Reply AnswerForComposition(int status, std::string_view step, std::string_view reason);
// A filter's refusal, with proxy-status as every answer that is not an origin's.
filter::Reply WithProxyStatus(filter::Reply reply);
// The rule has no backend that could be asked: 500, error=proxy_configuration_error (Gateway API).
filter::Reply AnswerForNoBackend();

}  // namespace portico::downstream

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_LOCAL_ANSWER_H_
