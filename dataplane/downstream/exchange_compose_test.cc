#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/compose/compose_config.h"
#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using std::chrono::milliseconds;
using std::chrono::seconds;

// $order from one cluster, then $stock from another; the answer shows both and what was asked.
std::shared_ptr<const compose::Plan> MakePlan() {
  v1::Composition message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(R"(spec {
      steps { name: "order" call { backend_ref { name: "orders" } path: "/orders/${request.query.id}" } }
      steps { name: "stock" call { backend_ref { name: "stock" } path: "/stock/${order.body.item}" } }
      answer { body: "{item: $order.body.item, left: $stock.body.left, who: $identity.subject}" } })",
                                                            &message));
  auto plan = compose::BuildPlan(message);
  EXPECT_TRUE(plan.ok()) << plan.status().message();
  return *plan;
}

RuleSpec Composed(std::vector<std::string> clusters = {"default/orders", "default/stock"}) {
  RuleSpec spec;
  spec.backends = {{"", "", MakePlan(), std::move(clusters)}};
  return spec;
}

struct ComposeWorld {
  explicit ComposeWorld(RuleSpec spec = Composed()) : world({std::move(spec)}) { world.AddOrigin("default/stock"); }
  FakeOrigin& stock() { return *world.origins.at("default/stock"); }
  size_t under_way() { return world.origin().under_way() + stock().under_way(); }
  void AnswerJson(Asked& asked, std::string_view content) {
    asked.Head(200, {{"content-type", "application/json"}});
    asked.Content(content);
    asked.End();
    world.Turn();
  }
  void AnswerOrder() { AnswerJson(world.asked(), R"({"item":"tea"})"); }
  void AnswerStock() { AnswerJson(*stock().asked.back(), R"({"left":3})"); }

  World world;
};

TEST(ExchangeComposeTest, AnAnswerIsMadeOfSeveral) {
  for (const bool http2 : {false, true}) {
    for (const std::string_view method : {"GET", "HEAD"}) {
      FilterScript script;
      script.act = [](filter::FilterContext& context, auto) {
        context.identity.subject = "ada";
        return filter::Continue();
      };
      RuleSpec spec = Composed();
      spec.filters = {std::make_shared<ScriptedFilterConfig>(script)};
      ComposeWorld test(spec);
      Client client(test.world, http2);
      const std::string parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
      const http::StreamId id = client.Ask(method, "/a?id=7", true, {{"cookie", "secret"}, {"traceparent", parent}});
      client.Turn();
      EXPECT_EQ(test.world.asked().method, "GET");
      EXPECT_EQ(test.world.asked().target, "/orders/7");
      EXPECT_EQ(test.world.asked().Field("cookie"), "(none)") << "nothing of the client's goes on unasked";
      EXPECT_EQ(test.world.asked().Field("traceparent").substr(0, 36), parent.substr(0, 36));
      test.AnswerOrder();
      EXPECT_EQ(test.stock().asked.back()->target, "/stock/tea");
      test.AnswerStock();
      client.Turn();
      const std::string_view json = R"({"item":"tea","left":3,"who":"ada"})";
      EXPECT_EQ(client.answer(id).status, 200);
      EXPECT_EQ(client.answer(id).content, method == "GET" ? json : "");
      EXPECT_EQ(client.answer(id).Field("content-length"), std::to_string(json.size()));
      EXPECT_EQ(client.answer(id).Field("cache-control"), "private, no-store");
      EXPECT_EQ(client.answer(id).Field("x-filtered"), "yes");
      EXPECT_TRUE(client.answer(id).ended);
      EXPECT_EQ(test.world.Lines(), std::string(method) + " /a?id=7 -> 200");
      EXPECT_EQ(test.world.records[0].record.sent_bytes, client.answer(id).content.size());
    }
  }
}

TEST(ExchangeComposeTest, StepsAreTimedLoggedAndTraced) {
  snapshot::ClientConfig config;
  config.forwarding.timing_networks.push_back(*net::Network4Or6::Parse("192.0.2.0/24"));
  config.forwarding.begin_trace = true;
  RuleSpec spec = Composed();
  route::Backend& backend = spec.rule.backends.emplace_back();
  backend.name_space = "default";
  backend.name = "composed";
  World world({spec}, config);
  world.AddOrigin("default/stock");
  Client client(world, true);
  const http::StreamId id = client.Ask("GET", "/a?id=7", true, {{"portico-timing", "1"}});
  client.Turn();
  world.Turn(milliseconds(250));
  FakeOrigin& stock = *world.origins.at("default/stock");
  const auto answer = [&](Asked& asked, std::string_view content) {
    asked.Head(200, {{"content-type", "application/json"}});
    asked.Content(content);
    asked.End();
    world.Turn();
  };
  answer(world.asked(), R"({"item":"tea"})");
  world.Turn(milliseconds(1500));
  answer(*stock.asked.back(), R"({"left":3})");
  client.Turn();
  EXPECT_EQ(client.answer(id).Field("server-timing"),
            "step-order;dur=250.0;desc=\"ok start=0.0\", step-stock;dur=1500.0;desc=\"ok start=250.0\"");
  const Record& record = world.records.at(0);
  EXPECT_EQ(record.steps, "order=ok stock=ok");
  EXPECT_EQ(record.composition, "default/composed");
  const std::string first = world.asked().Field("traceparent"), second = stock.asked.back()->Field("traceparent");
  EXPECT_EQ(first.substr(0, 36), "00-" + record.trace_id + "-");
  EXPECT_EQ(second.substr(0, 36), first.substr(0, 36));
  const uint64_t own = std::stoull(record.span_id, nullptr, 16);
  EXPECT_EQ(std::stoull(first.substr(36, 16), nullptr, 16), own + 1);
  EXPECT_EQ(std::stoull(second.substr(36, 16), nullptr, 16), own + 2);
}

TEST(ExchangeComposeTest, StepsOfAnAbortedExchangeAreLogged) {
  ComposeWorld test;
  Client client(test.world, true);
  const http::StreamId id = client.Ask("GET", "/a?id=7", true, {});
  client.Turn();
  client.Reset(id);
  client.Turn();
  EXPECT_EQ(test.world.records.at(0).steps, "order=unfinished stock=unfinished");
}

TEST(ExchangeComposeTest, AFailureNamesItsStepAndNoMore) {
  struct Row {
    std::string_view name;
    std::function<void(ComposeWorld&)> play;
    int status;
    std::string_view proxy_status, reason;
  };
  const Row rows[] = {
      {"the first refuses", [](ComposeWorld& test) { test.world.asked().Fail(call::ErrorKind::kConnectionRefused); },
       502, "portico; error=destination_unavailable; details=\"step order: connection_refused\"",
       "step order: connection_refused: scripted"},
      {"the first is late", [](ComposeWorld& test) { test.world.asked().Fail(call::ErrorKind::kHttpResponseTimeout); },
       504, "portico; error=http_response_timeout; details=\"step order: http_response_timeout\"",
       "step order: http_response_timeout: scripted"},
      {"the second says 503",
       [](ComposeWorld& test) {
         test.AnswerOrder();
         test.stock().asked.back()->Answer(503, "secret");
       },
       502, "portico; error=destination_unavailable; details=\"step stock: status 503\"", "step stock: status 503"},
  };
  for (const Row& row : rows) {
    ComposeWorld test;
    Client client(test.world, false);
    const http::StreamId id = client.Ask("GET", "/a?id=7");
    client.Turn();
    row.play(test);
    client.Turn();
    EXPECT_EQ(client.answer(id).status, row.status) << row.name;
    EXPECT_EQ(client.answer(id).Field("proxy-status"), row.proxy_status) << row.name;
    EXPECT_FALSE(Has(client.answer(id).content, "secret")) << row.name;
    EXPECT_EQ(test.world.records[0].reason, row.reason) << row.name;
    EXPECT_EQ(test.world.records[0].record.status, row.status) << row.name;
    EXPECT_EQ(test.under_way(), 0u) << row.name;
  }
}

TEST(ExchangeComposeTest, AnAnswerThatNeedsNoOriginOrCannotAsk) {
  struct Row {
    std::string_view name, target;
    std::vector<std::string> clusters;
    int status;
  };
  const Row rows[] = {{"a cluster is gone", "/a?id=7", {"default/orders", "default/gone"}, 500},
                      {"the input is missing, inside Start", "/a", {"default/orders", "default/stock"}, 502}};
  for (const Row& row : rows) {
    ComposeWorld test(Composed(row.clusters));
    Client client(test.world, false);
    const http::StreamId id = client.Ask("GET", row.target);
    client.Turn();
    EXPECT_EQ(client.answer(id).status, row.status) << row.name;
    EXPECT_EQ(test.world.asked_count(), 0u) << row.name;
  }
}

TEST(ExchangeComposeTest, TheClientsContentIsNobodys) {
  for (const std::string_view expect : {"", "expect: 100-continue\r\n"}) {
    ComposeWorld test;
    test.world.Say("POST /a?id=7 HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n" + std::string(expect) + "\r\n");
    if (expect.empty()) test.world.Say("hello");
    test.AnswerOrder();
    test.AnswerStock();
    const std::string got = test.world.Got();
    EXPECT_EQ(Count(got, "HTTP/1.1 "), 1u) << got;
    EXPECT_TRUE(Has(got, "HTTP/1.1 200 OK")) << got;
    EXPECT_EQ(Has(got, "connection: close"), !expect.empty()) << got;
    EXPECT_EQ(test.world.asked().content, "");
  }
}

TEST(ExchangeComposeTest, TheClientMayLeaveAtEveryPoint) {
  for (const bool http2 : {false, true}) {
    for (int steps = 0; steps <= 3; ++steps) {
      ComposeWorld test;
      Client client(test.world, http2);
      const http::StreamId id = client.Ask("GET", "/a?id=7");
      client.Turn();
      if (steps == 1) test.world.asked().Head(200, {{"content-type", "application/json"}});
      if (steps >= 2) test.AnswerOrder();
      if (steps >= 3) test.stock().asked.back()->Head(200, {{"content-type", "application/json"}});
      EXPECT_EQ(test.under_way(), 1u);
      http2 ? client.Reset(id) : test.world.far->Fail();
      client.Turn();
      EXPECT_EQ(test.under_way(), 0u) << steps;
      EXPECT_EQ(test.world.Lines(), "GET /a?id=7 -> 0 aborted") << steps;
    }
  }
}

TEST(ExchangeComposeTest, TheDeadlineOfTheExchangeBindsIt) {
  RuleSpec spec = Composed();
  spec.rule.request_timeout = seconds(3);
  ComposeWorld test(spec);
  test.world.Say("GET /a?id=7 HTTP/1.1\r\nhost: x\r\n\r\n");
  test.world.Turn(seconds(2));
  test.AnswerOrder();
  test.world.Turn(seconds(2));
  EXPECT_EQ(test.under_way(), 0u);
  EXPECT_TRUE(Has(test.world.Got(), "HTTP/1.1 504 "));
  EXPECT_EQ(test.world.Lines(), "GET /a?id=7 -> 504 error=http_response_timeout");
}

}  // namespace
}  // namespace portico::downstream
