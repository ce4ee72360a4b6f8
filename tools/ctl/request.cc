#include "tools/ctl/request.h"

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::ctl {
namespace {

template <typename... Pieces>
absl::Status Usage(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

absl::Status ParseUrl(std::string_view url, Request& request) {
  const size_t colon = url.find("://");
  request.scheme = base::LowerAscii(url.substr(0, colon));
  if (colon == std::string_view::npos || (request.scheme != "http" && request.scheme != "https")) {
    return Usage("the URL begins with http:// or https://, not as `", url, "`");
  }
  url.remove_prefix(colon + 3);
  const size_t end = url.find_first_of("/?#");
  request.authority = base::LowerAscii(url.substr(0, end));
  if (!http::IsAuthority(request.authority)) return Usage("the URL has no good host: `", request.authority, "`");
  std::string_view target = end == std::string_view::npos ? std::string_view() : url.substr(end);
  target = target.substr(0, target.find('#'));  // a fragment never travels (RFC 9110 section 4.2.5)
  request.target = target.starts_with('/') ? std::string(target) : base::Concat("/", target);
  if (!http::IsTargetText(request.target)) return Usage("the URL has a byte that must be percent-encoded");
  const size_t bracket = request.authority.rfind(']');
  const size_t port = request.authority.find(':', bracket == std::string::npos ? 0 : bracket);
  if (port != std::string::npos) {
    request.port =
        static_cast<uint16_t>(base::ParseDecimal(std::string_view(request.authority).substr(port + 1)).value_or(0));
  }
  return absl::OkStatus();
}

absl::Status AddHeader(std::string_view header, Request& request) {
  const size_t colon = header.find(':');
  const std::string name = base::LowerAscii(header.substr(0, colon));
  if (colon == std::string_view::npos || !http::IsToken(name)) {
    return Usage("a header is `name: value`, not `", header, "`");
  }
  const std::string_view value = http::TrimOws(header.substr(colon + 1));
  if (!http::IsFieldValue(value)) return Usage("header ", name, ": the value has a control character");
  if (name != "host") {
    request.fields.emplace_back(name, value);
    return absl::OkStatus();
  }
  request.authority = base::LowerAscii(value);
  if (!http::IsAuthority(request.authority)) return Usage("header host: `", value, "` is no host");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Request> ParseRequest(std::string_view method, std::string_view url,
                                     const std::vector<std::string>& headers) {
  Request request;
  request.method = method;
  if (!http::IsToken(method)) return Usage("`", method, "` is no method");
  if (absl::Status status = ParseUrl(url, request); !status.ok()) return status;
  for (const std::string& header : headers) {
    if (absl::Status status = AddHeader(header, request); !status.ok()) return status;
  }
  return request;
}

}  // namespace portico::ctl
