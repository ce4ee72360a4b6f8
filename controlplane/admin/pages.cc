#include "controlplane/admin/pages.h"

#include "api/base/text.h"
#include "controlplane/admin/metrics.h"

namespace portico::admin {

Answer AnswerTo(std::string_view method, std::string_view path, const State& state) {
  if (path != "/ready" && path != "/live" && path != "/metrics") {
    return {.status = 404, .content = "there are /ready, /live and /metrics\n"};
  }
  if (method != "GET" && method != "HEAD") return {.status = 405, .content = "read only\n", .allow = "GET, HEAD"};
  if (path == "/metrics") return {.content = Metrics(state), .content_type = "text/plain; version=0.0.4"};
  if (path == "/ready" && !state.ready) {
    return {.status = 503, .content = base::Concat("not ready: ", state.why_not, "\n")};
  }
  return {.content = path == "/ready" ? "ready\n" : "live\n"};
}

}  // namespace portico::admin
