#include "dataplane/filter/problem.h"

#include "api/base/check.h"
#include "api/base/json.h"
#include "api/base/text.h"

namespace portico::filter {
namespace {

// The phrases of RFC 9110 section 15 for what filters answer with; another status has its class's words.
std::string_view Title(int status) {
  switch (status) {
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 413:
      return "Content Too Large";
    case 429:
      return "Too Many Requests";
    case 500:
      return "Internal Server Error";
    case 503:
      return "Service Unavailable";
    default:
      return status < 500 ? "Client Error" : "Server Error";
  }
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
