#include "controlplane/admin/pages.h"

#include <map>

#include "api/base/text.h"

namespace portico::admin {
namespace {

using base::Concat;

std::string Metric(std::string_view name, std::string_view type, std::string_view help) {
  return Concat("# HELP ", name, " ", help, "\n# TYPE ", name, " ", type, "\n");
}

std::string Metrics(const State& state) {
  std::string text = Metric("portico_controlplane_revision", "gauge", "The revision of the configuration.");
  text += Concat("portico_controlplane_revision ", state.model->revision, "\n");
  text += Metric("portico_controlplane_changes_total", "counter", "Revisions made since the start.");
  text += Concat("portico_controlplane_changes_total ", state.changes, "\n");
  text += Metric("portico_controlplane_resources", "gauge", "Resources of a kind.");
  std::map<std::string, uint64_t> counts;
  for (const auto& [key, resource] : state.model->configuration.resources())
    ++counts[key.kind];
  for (const auto& [kind, count] : counts)
    text += Concat("portico_controlplane_resources{kind=\"", kind, "\"} ", count, "\n");
  return text;
}

}  // namespace

Answer AnswerTo(std::string_view method, std::string_view path, const State& state) {
  if (path != "/ready" && path != "/live" && path != "/metrics") {
    return {.status = 404, .content = "there are /ready, /live and /metrics\n"};
  }
  if (method != "GET" && method != "HEAD") return {.status = 405, .content = "read only\n", .allow = "GET, HEAD"};
  if (path == "/metrics") return {.content = Metrics(state), .content_type = "text/plain; version=0.0.4"};
  if (path == "/ready" && !state.ready) return {.status = 503, .content = "not ready\n"};
  return {.content = path == "/ready" ? "ready\n" : "live\n"};
}

}  // namespace portico::admin
