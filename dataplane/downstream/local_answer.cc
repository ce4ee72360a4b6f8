#include "dataplane/downstream/local_answer.h"

#include <string>
#include <string_view>

#include "api/base/text.h"
#include "dataplane/filter/problem.h"

namespace portico::downstream {
namespace {

// What a proxy passes on as far as any; what a resource allows, its origin knows.
constexpr std::string_view kAllow = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

// A second: what is over a limit of a cluster may be below it with the next response.
constexpr std::string_view kBusyRetryAfter = "1";

// `error` is static; `error` and `detail` are ours: letters, digits and punctuation, no quote and no backslash, so they
// need no escape in proxy-status' structured field (RFC 8941 section 3.3.3).
filter::Reply Answer(int status, std::string_view error, std::string_view detail) {
  filter::Reply reply = filter::ProblemReply(status, detail);
  reply.fields.emplace_back("proxy-status", base::Concat("portico; error=", error, "; details=\"", detail, "\""));
  reply.reason = detail;
  reply.error = error;
  return reply;
}

}  // namespace

filter::Reply AnswerFor(const call::Error& error) {
  filter::Reply reply = Answer(call::ErrorStatus(error.kind), call::ErrorName(error.kind), error.detail);
  if (error.kind == call::ErrorKind::kConnectionLimitReached) reply.fields.emplace_back("retry-after", kBusyRetryAfter);
  return reply;
}

filter::Reply AnswerFor(const http::MessageError& error) {
  return Answer(error.status, "http_request_error", error.detail);
}

filter::Reply AnswerForOptions() {
  return {.status = 204, .fields = {{"allow", std::string(kAllow)}}, .content = "", .reason = ""};
}

filter::Reply AnswerForTrace() {
  filter::Reply reply = Answer(405, "http_request_error", "this proxy does not answer TRACE itself");
  reply.fields.emplace_back("allow", kAllow);
  return reply;
}

filter::Reply AnswerForNoRoute() {
  return Answer(404, "destination_not_found", "no route agrees with this request");
}

filter::Reply AnswerForMisdirected() {
  return Answer(421, "http_request_error", "this connection is not for that host");
}

filter::Reply AnswerForDeadline() {
  return Answer(504, "http_response_timeout", "there was no whole answer by the deadline of the exchange");
}

filter::Reply AnswerForComposition(int status, std::string_view step, std::string_view reason) {
  return Answer(status, status == 504 ? "http_response_timeout" : "destination_unavailable",
                base::Concat("step ", step, ": ", reason));
}

filter::Reply WithProxyStatus(filter::Reply reply) {
  if (reply.status < 400 || !reply.error.empty()) return reply;
  reply.error = reply.status < 500 ? "http_request_denied" : "proxy_configuration_error";
  reply.fields.emplace_back("proxy-status", base::Concat("portico; error=", reply.error));
  return reply;
}

filter::Reply AnswerForNoBackend() {
  return Answer(500, "proxy_configuration_error", "the route has no backend that can be asked");
}

}  // namespace portico::downstream
