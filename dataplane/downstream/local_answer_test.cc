#include "dataplane/downstream/local_answer.h"

#include <gtest/gtest.h>

#include <string>

#include "api/base/arena.h"
#include "api/base/json.h"

namespace portico::downstream {
namespace {

using call::ErrorKind;

std::string FieldOf(const filter::Reply& reply, std::string_view name) {
  for (const auto& [field, value] : reply.fields) {
    if (field == name) return value;
  }
  return "(none)";
}

TEST(LocalAnswerTest, EveryErrorHasItsStatusAndName) {
  struct Row {
    filter::Reply reply;
    int status;
    std::string_view title, proxy_status;
  };
  const auto error = [](ErrorKind kind) { return AnswerFor(call::Error{kind, false, "why"}); };
  const auto bad = [](int status) { return AnswerFor(http::MessageError{status, "why"}); };
  const Row rows[] = {
      {error(ErrorKind::kDestinationUnavailable), 503, "Service Unavailable", "destination_unavailable"},
      {error(ErrorKind::kConnectionRefused), 502, "Bad Gateway", "connection_refused"},
      {error(ErrorKind::kConnectionTimeout), 504, "Gateway Timeout", "connection_timeout"},
      {error(ErrorKind::kConnectionTerminated), 502, "Bad Gateway", "connection_terminated"},
      {error(ErrorKind::kConnectionReadTimeout), 504, "Gateway Timeout", "connection_read_timeout"},
      {error(ErrorKind::kConnectionLimitReached), 503, "Service Unavailable", "connection_limit_reached"},
      {error(ErrorKind::kHttpResponseTimeout), 504, "Gateway Timeout", "http_response_timeout"},
      {error(ErrorKind::kHttpProtocolError), 502, "Bad Gateway", "http_protocol_error"},
      {error(ErrorKind::kTlsProtocolError), 502, "Bad Gateway", "tls_protocol_error"},
      {error(ErrorKind::kTlsCertificateError), 502, "Bad Gateway", "tls_certificate_error"},
      {error(ErrorKind::kTlsAlertReceived), 502, "Bad Gateway", "tls_alert_received"},
      {bad(400), 400, "Bad Request", "http_request_error"},
      {bad(408), 408, "Request Timeout", "http_request_error"},
      {bad(413), 413, "Content Too Large", "http_request_error"},
      {bad(414), 414, "URI Too Long", "http_request_error"},
      {bad(417), 417, "Expectation Failed", "http_request_error"},
      {bad(431), 431, "Request Header Fields Too Large", "http_request_error"},
      {bad(501), 501, "Not Implemented", "http_request_error"},
      {bad(505), 505, "HTTP Version Not Supported", "http_request_error"},
      {AnswerForNoRoute(), 404, "Not Found", "destination_not_found"},
      {AnswerForMisdirected(), 421, "Misdirected Request", "http_request_error"},
      {AnswerForDeadline(), 504, "Gateway Timeout", "http_response_timeout"},
      {AnswerForNoBackend(), 500, "Internal Server Error", "proxy_configuration_error"},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(row.reply.status, row.status) << row.proxy_status;
    const std::string proxy_status = FieldOf(row.reply, "proxy-status");
    EXPECT_TRUE(proxy_status.starts_with("portico; error=" + std::string(row.proxy_status) + "; details=\""))
        << proxy_status;
    EXPECT_EQ(proxy_status.find_first_of("\\\r\n"), std::string::npos) << proxy_status;
    EXPECT_EQ(FieldOf(row.reply, "content-type"), "application/problem+json");
    EXPECT_EQ(FieldOf(row.reply, "retry-after"), row.proxy_status == "connection_limit_reached" ? "1" : "(none)");
    base::Arena arena;
    const auto json = base::ParseJson(row.reply.content, arena, {});
    ASSERT_TRUE(json.ok()) << row.reply.content;
    EXPECT_EQ(json->Find("title")->string(), row.title);
    EXPECT_FALSE(row.reply.reason.empty());
  }
}

}  // namespace
}  // namespace portico::downstream
