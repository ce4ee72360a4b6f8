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
  return {.ready = ready, .why_not = "it ends", .model = model, .changes = 3};
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
      {"it ends", "GET", "/ready", false, 503, "not ready: it ends\n"},
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

TEST(PagesTest, BeforeTheStoreIsOpenItLivesAndIsNotReady) {
  const State state{.why_not = "the store is being opened"};
  EXPECT_EQ(AnswerTo("GET", "/live", state).status, 200);
  EXPECT_EQ(AnswerTo("GET", "/ready", state).status, 503);
  EXPECT_EQ(AnswerTo("GET", "/ready", state).content, "not ready: the store is being opened\n");
  EXPECT_EQ(AnswerTo("GET", "/metrics", state).status, 200);
  EXPECT_EQ(AnswerTo("GET", "/metrics", state).content, "");
}

// The lines of a family, without what it is.
std::string Lines(const State& state, const std::string& family) {
  const std::string page = AnswerTo("GET", "/metrics", state).content;
  const std::string type = "# TYPE portico_controlplane_" + family + " ";
  const size_t begin = page.find('\n', page.find(type)) + 1;
  EXPECT_NE(page.find(type), std::string::npos) << family;
  return page.substr(begin, page.find("# HELP", begin) - begin);
}

TEST(PagesTest, MetricsOfCallsProxiesAndStreams) {
  State state = StateOf("", true);
  state.change_calls = {{"stored", 7}, {"refused", 2}};
  state.change_durations = {{1'000, 250'000, 2'500'000}, {5, 3, 0, 1}, 12'340'500};
  state.proxies = {4, 3, 2, 1};
  state.discovery = {.streams = 9, .refused = 1, .responses = 30, .response_bytes = 4000, .marks = 10};
  state.discovery.answers = {{"Route", {5, 1}}, {"other", {0, 2}}};
  const struct {
    const char* family;
    const char* lines;
  } rows[] = {
      {"change_calls_total",
       "portico_controlplane_change_calls_total{outcome=\"stored\"} 7\n"
       "portico_controlplane_change_calls_total{outcome=\"refused\"} 2\n"},
      {"change_duration_seconds",
       "portico_controlplane_change_duration_seconds_bucket{le=\"0.001\"} 5\n"
       "portico_controlplane_change_duration_seconds_bucket{le=\"0.25\"} 8\n"
       "portico_controlplane_change_duration_seconds_bucket{le=\"2.5\"} 8\n"
       "portico_controlplane_change_duration_seconds_bucket{le=\"+Inf\"} 9\n"
       "portico_controlplane_change_duration_seconds_sum 12.3405\n"
       "portico_controlplane_change_duration_seconds_count 9\n"},
      {"proxies",
       "portico_controlplane_proxies{state=\"current\"} 4\n"
       "portico_controlplane_proxies{state=\"behind\"} 3\n"
       "portico_controlplane_proxies{state=\"refusing\"} 2\n"
       "portico_controlplane_proxies{state=\"gone\"} 1\n"},
      {"discovery_streams", "portico_controlplane_discovery_streams 9\n"},
      {"discovery_streams_refused_total", "portico_controlplane_discovery_streams_refused_total 1\n"},
      {"discovery_responses_total", "portico_controlplane_discovery_responses_total 30\n"},
      {"discovery_response_bytes_total", "portico_controlplane_discovery_response_bytes_total 4000\n"},
      {"discovery_pushes_total", "portico_controlplane_discovery_pushes_total 10\n"},
      {"discovery_answers_total",
       "portico_controlplane_discovery_answers_total{kind=\"Route\",answer=\"ack\"} 5\n"
       "portico_controlplane_discovery_answers_total{kind=\"Route\",answer=\"nack\"} 1\n"
       "portico_controlplane_discovery_answers_total{kind=\"other\",answer=\"ack\"} 0\n"
       "portico_controlplane_discovery_answers_total{kind=\"other\",answer=\"nack\"} 2\n"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(Lines(state, row.family), row.lines) << row.family;
}

TEST(PagesTest, MetricsCountByKind) {
  const std::string page = AnswerTo("GET", "/metrics", StateOf(kTwoKinds, true)).content;
  EXPECT_EQ(page.substr(0, page.find("# HELP portico_controlplane_change_calls_total")),
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
