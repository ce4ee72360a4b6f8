#include "dataplane/grpc/status.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <utility>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::grpc {
namespace {

TEST(StatusTest, CodesHaveTheirNames) {
  EXPECT_EQ(CodeName(Code::kOk), "OK");
  EXPECT_EQ(CodeName(Code::kPermissionDenied), "PERMISSION_DENIED");
  EXPECT_EQ(CodeName(Code::kUnauthenticated), "UNAUTHENTICATED");
  EXPECT_EQ((Status{Code::kUnavailable, "gone"}).ToString(), "UNAVAILABLE: gone");
  EXPECT_EQ(Status().ToString(), "OK");
}

TEST(StatusTest, WhatTheTrailersSay) {
  const struct {
    const char* name;
    std::optional<std::string> status, message;
    int http_status;
    std::string read;
  } kRows[] = {
      {"good", "0", std::nullopt, 200, "OK"},
      {"with a message", "5", "no%20such%20thing", 200, "NOT_FOUND: no such thing"},
      {"the last code", "16", "", 200, "UNAUTHENTICATED"},
      {"one more", "17", "x", 200, "UNKNOWN: a grpc-status that is none"},
      {"far more", "99999999999999999999", "x", 200, "UNKNOWN: a grpc-status that is none"},
      {"a sign", "-1", "x", 200, "UNKNOWN: a grpc-status that is none"},
      {"no number", "OK", "x", 200, "UNKNOWN: a grpc-status that is none"},
      {"empty", "", "x", 200, "UNKNOWN: a grpc-status that is none"},
      {"the HTTP status stands behind it", "7", "no", 503, "PERMISSION_DENIED: no"},
      {"escapes of both cases", "2", "%c3%A9%25", 200, "UNKNOWN: \xc3\xa9%"},
      {"no escapes", "2", "100% %zz %4", 200, "UNKNOWN: 100% %zz %4"},
      {"an escape cut short", "2", "%4", 200, "UNKNOWN: %4"},
      {"decodes to no UTF-8", "2", "a%ff", 200, "UNKNOWN: a%ff"},
      {"is no UTF-8", "2", "a\xff", 200, "UNKNOWN: a?"},
      {"missing", std::nullopt, "x", 200, "UNKNOWN: HTTP status 200 without grpc-status"},
      {"missing, bad request", std::nullopt, std::nullopt, 400, "INTERNAL: HTTP status 400 without grpc-status"},
      {"missing, no rights", std::nullopt, std::nullopt, 403, "PERMISSION_DENIED: HTTP status 403 without grpc-status"},
  };
  for (const auto& row : kRows) {
    base::Arena arena;
    http::Fields fields(arena);
    if (row.status) fields.Add("grpc-status", *row.status);
    if (row.message) fields.Add("grpc-message", *row.message);
    EXPECT_EQ(ReadStatus(fields, row.http_status).ToString(), row.read) << row.name;
  }
}

TEST(StatusTest, ALongMessageIsCutBetweenCharacters) {
  base::Arena arena;
  for (const std::string& character : {std::string("x"), std::string("\xc3\xa9"), std::string("\xe2\x82\xac")}) {
    std::string text;
    while (text.size() < 2 * kMessageBytesMax)
      text += character;
    http::Fields fields(arena);
    fields.Add("grpc-status", "2");
    fields.Add("grpc-message", text);
    const Status status = ReadStatus(fields, 200);
    EXPECT_LE(status.message.size(), kMessageBytesMax);
    EXPECT_GT(status.message.size() + character.size(), kMessageBytesMax);
    EXPECT_TRUE(base::IsUtf8(status.message));
  }
}

TEST(StatusTest, WhatAnHttpStatusStandsFor) {
  const std::pair<int, Code> kRows[] = {
      {400, Code::kInternal},      {401, Code::kUnauthenticated}, {403, Code::kPermissionDenied},
      {404, Code::kUnimplemented}, {429, Code::kUnavailable},     {502, Code::kUnavailable},
      {503, Code::kUnavailable},   {504, Code::kUnavailable},     {200, Code::kUnknown},
      {302, Code::kUnknown},       {418, Code::kUnknown},         {500, Code::kUnknown},
  };
  for (const auto& [status, code] : kRows)
    EXPECT_EQ(CodeOfHttpStatus(status), code) << status;
}

TEST(StatusTest, WhatAFailedCallStandsFor) {
  using call::ErrorKind;
  const std::pair<ErrorKind, std::string_view> kRows[] = {
      {ErrorKind::kDestinationUnavailable, "UNAVAILABLE: destination_unavailable: why"},
      {ErrorKind::kConnectionRefused, "UNAVAILABLE: connection_refused: why"},
      {ErrorKind::kConnectionTimeout, "UNAVAILABLE: connection_timeout: why"},
      {ErrorKind::kConnectionTerminated, "UNAVAILABLE: connection_terminated: why"},
      {ErrorKind::kConnectionReadTimeout, "UNAVAILABLE: connection_read_timeout: why"},
      {ErrorKind::kConnectionLimitReached, "UNAVAILABLE: connection_limit_reached: why"},
      {ErrorKind::kHttpResponseTimeout, "DEADLINE_EXCEEDED: http_response_timeout: why"},
      {ErrorKind::kHttpProtocolError, "INTERNAL: http_protocol_error: why"},
      {ErrorKind::kTlsProtocolError, "UNAVAILABLE: tls_protocol_error: why"},
      {ErrorKind::kTlsCertificateError, "UNAVAILABLE: tls_certificate_error: why"},
      {ErrorKind::kTlsAlertReceived, "UNAVAILABLE: tls_alert_received: why"},
  };
  for (const auto& [kind, text] : kRows)
    EXPECT_EQ(StatusOf({kind, true, "why"}).ToString(), text);
}

}  // namespace
}  // namespace portico::grpc
