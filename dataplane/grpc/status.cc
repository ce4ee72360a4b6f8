#include "dataplane/grpc/status.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "api/base/hex.h"
#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::grpc {
namespace {

constexpr std::array<std::string_view, 17> kNames = {
    "OK",        "CANCELLED",      "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
    "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
    "ABORTED",   "OUT_OF_RANGE",   "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
    "DATA_LOSS", "UNAUTHENTICATED"};

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && base::HexDigit(text[i + 1]) >= 0 && base::HexDigit(text[i + 2]) >= 0;
    if (!escape) {
      out.push_back(text[i]);
      continue;
    }
    out.push_back(static_cast<char>(base::HexDigit(text[i + 1]) * 16 + base::HexDigit(text[i + 2])));
    i += 2;
  }
  return out;
}

// Never an error and never thrown away: what is no escape stands as it came, and what would decode to no UTF-8 stays
// encoded.
std::string ReadMessage(std::string_view encoded) {
  std::string text = PercentDecoded(encoded);
  if (!base::IsUtf8(text)) {
    text = encoded;
    std::replace_if(text.begin(), text.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
  }
  if (text.size() <= kMessageBytesMax) return text;
  size_t size = kMessageBytesMax;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80)
    --size;  // within a character
  text.resize(size);
  return text;
}

}  // namespace

std::string_view CodeName(Code code) {
  return kNames[static_cast<size_t>(code)];
}

std::string Status::ToString() const {
  return message.empty() ? std::string(CodeName(code)) : base::Concat(CodeName(code), ": ", message);
}

Status ReadStatus(const http::Fields& fields, int http_status) {
  const std::optional<std::string_view> text = fields.Find("grpc-status");
  if (!text.has_value()) {
    return {CodeOfHttpStatus(http_status), base::Concat("HTTP status ", http_status, " without grpc-status")};
  }
  const std::optional<uint64_t> number = base::ParseDecimal(*text);
  if (!number.has_value() || *number >= kNames.size()) return {Code::kUnknown, "a grpc-status that is none"};
  return {static_cast<Code>(*number), ReadMessage(fields.Find("grpc-message").value_or(""))};
}

Code CodeOfHttpStatus(int http_status) {
  switch (http_status) {
    case 400:
      return Code::kInternal;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

Status StatusOf(const call::Error& error) {
  std::string message = base::Concat(call::ErrorName(error.kind), ": ", error.detail);
  switch (error.kind) {
    case call::ErrorKind::kHttpResponseTimeout:
      return {Code::kDeadlineExceeded, std::move(message)};
    case call::ErrorKind::kHttpProtocolError:
      return {Code::kInternal, std::move(message)};
    case call::ErrorKind::kDestinationUnavailable:
    case call::ErrorKind::kConnectionRefused:
    case call::ErrorKind::kConnectionTimeout:
    case call::ErrorKind::kConnectionTerminated:
    case call::ErrorKind::kConnectionReadTimeout:
    case call::ErrorKind::kConnectionLimitReached:
    case call::ErrorKind::kTlsProtocolError:
    case call::ErrorKind::kTlsCertificateError:
    case call::ErrorKind::kTlsAlertReceived:
      return {Code::kUnavailable, std::move(message)};
  }
  return {Code::kUnknown, std::move(message)};
}

}  // namespace portico::grpc
