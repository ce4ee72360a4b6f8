#include "dataplane/filter/problem.h"

#include "api/base/check.h"
#include "api/base/json.h"
#include "api/base/text.h"

namespace portico::filter {
namespace {

// The phrases of RFC 9110 section 15 and RFC 6585 for what the proxy answers with; another status has its class's
// words.
std::string_view Title(int status) {
  struct Row {
    int status;
    std::string_view title;
  };
  static constexpr Row kRows[] = {
      {400, "Bad Request"},
      {401, "Unauthorized"},
      {403, "Forbidden"},
      {404, "Not Found"},
      {408, "Request Timeout"},
      {413, "Content Too Large"},
      {414, "URI Too Long"},
      {417, "Expectation Failed"},
      {421, "Misdirected Request"},
      {429, "Too Many Requests"},
      {431, "Request Header Fields Too Large"},
      {500, "Internal Server Error"},
      {501, "Not Implemented"},
      {502, "Bad Gateway"},
      {503, "Service Unavailable"},
      {504, "Gateway Timeout"},
      {505, "HTTP Version Not Supported"},
  };
  for (const Row& row : kRows) {
    if (row.status == status) return row.title;
  }
  return status < 500 ? "Client Error" : "Server Error";
}

}  // namespace

Reply ProblemReply(int status, std::string_view detail) {
  PORTICO_CHECK(status >= 400 && status <= 599);
  Reply out;
  out.status = status;
  out.fields.emplace_back("content-type", "application/problem+json");
  out.fields.emplace_back("cache-control", "no-store");
  out.content = base::Concat("{\"type\":\"about:blank\",\"title\":\"", Title(status), "\",\"status\":", status);
  if (!detail.empty()) {
    out.content += ",\"detail\":";
    base::AppendJsonString(out.content, detail);
  }
  out.content += "}\n";
  return out;
}

}  // namespace portico::filter
