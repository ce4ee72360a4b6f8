#include "controlplane/admin/pages.h"

#include <memory>
#include <string>
#include <string_view>

#include "controlplane/model/test_resources.h"
#include "gtest/gtest.h"

namespace portico::admin {
namespace {

constexpr char kTwoKinds[] = R"(
kind: Cluster
metadata: {name: a}
spec: {endpoints: [{address: 127.0.0.1, port: 1}]}
---
kind: Cluster
metadata: {name: b}
spec: {endpoints: [{address: 127.0.0.1, port: 2}]}
---
kind: Gateway
metadata: {name: g}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
)";

State StateOf(const std::string& text, bool ready) {
  auto model = std::make_shared<model::Model>();
  model->revision = 7;
  if (!text.empty()) {
    for (portico::v1::Resource& resource : test::ReadResources(text))
      model->configuration.Add(std::move(resource));
  }
  return {ready, model, 3};
}

TEST(PagesTest, AnswersByMethodAndPath) {
  struct Row {
    std::string_view name, method, path;
    bool ready;
    int status;
    std::string_view content;
  };
  const Row rows[] = {
      {"ready", "GET", "/ready", true, 200, "ready\n"},
      {"a HEAD", "HEAD", "/ready", true, 200, "ready\n"},
      {"it ends", "GET", "/ready", false, 503, "not ready\n"},
      {"live to the end", "GET", "/live", false, 200, "live\n"},
      {"a write", "POST", "/live", true, 405, "read only\n"},
      {"a method in small letters", "get", "/live", true, 405, "read only\n"},
      {"another page", "GET", "/snapshot", true, 404, "there are /ready, /live and /metrics\n"},
      {"more of a path", "GET", "/ready/", true, 404, "there are /ready, /live and /metrics\n"},
      {"nothing", "GET", "", true, 404, "there are /ready, /live and /metrics\n"},
  };
  for (const Row& row : rows) {
    const Answer answer = AnswerTo(row.method, row.path, StateOf("", row.ready));
    EXPECT_EQ(answer.status, row.status) << row.name;
    EXPECT_EQ(answer.content, row.content) << row.name;
    EXPECT_EQ(answer.allow, row.status == 405 ? "GET, HEAD" : "") << row.name;
  }
}

TEST(PagesTest, MetricsCountByKind) {
  EXPECT_EQ(AnswerTo("GET", "/metrics", StateOf(kTwoKinds, true)).content,
            "# HELP portico_controlplane_revision The revision of the configuration.\n"
            "# TYPE portico_controlplane_revision gauge\n"
            "portico_controlplane_revision 7\n"
            "# HELP portico_controlplane_changes_total Revisions made since the start.\n"
            "# TYPE portico_controlplane_changes_total counter\n"
            "portico_controlplane_changes_total 3\n"
            "# HELP portico_controlplane_resources Resources of a kind.\n"
            "# TYPE portico_controlplane_resources gauge\n"
            "portico_controlplane_resources{kind=\"Cluster\"} 2\n"
            "portico_controlplane_resources{kind=\"Gateway\"} 1\n");
}

}  // namespace
}  // namespace portico::admin
