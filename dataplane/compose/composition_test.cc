#include "dataplane/compose/composition.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/test_run.h"

namespace portico::compose {
namespace {

constexpr char kNull[] = "on_failure: ON_FAILURE_USE_NULL ";
constexpr char kFallback[] = "on_failure: ON_FAILURE_USE_FALLBACK fallback { number_value: 7 } ";

std::string Call(std::string_view path) {
  return base::Concat("call { backend_ref { name: 'shop' } path: '", path, "' } ");
}

// $orders, then $stock for each of its items, two at a time.
std::string Stock(std::string_view rule, std::string_view for_each = "") {
  return base::Concat(
      "steps { name: 'stock' for_each { items: '$orders.body[]' parallel: 2 ", for_each, "} ", Call("/stock/${each}"),
      "absent_on: 404 ", rule, "} steps { name: 'orders' ", Call("/orders"),
      "} answer { body: '{stock: $stock | with_entries({key: .key, value: .value.body}), failures: $failures}' }");
}

struct Row {
  std::string_view name;
  std::string rule;
  std::vector<std::string> answers;
  std::string_view result;
};

template <typename Spec>
void CheckRows(std::span<const Row> rows, Spec spec) {
  for (const Row& row : rows) {
    TestRun run(spec(row.rule));
    for (size_t i = 0; i < row.answers.size(); ++i)
      EXPECT_TRUE(run.backend.Answer(i, row.answers[i])) << row.name;
    EXPECT_EQ(run.result, row.result) << row.name;
    EXPECT_EQ(run.backend.UnderWay(), 0U) << row.name;
  }
}

TEST(CompositionTest, RulesOfFailureForEachItem) {
  const std::string ab = R"(ok ["a","b","a"])";
  const Row rows[] = {
      {"whole", "", {ab, "ok 1", "ok 2"}, R"({"stock":{"a":1,"b":2},"failures":[]})"},
      {"absent", "", {ab, "404 ", "ok 2"}, R"({"stock":{"a":null,"b":2},"failures":[]})"},
      {"absent, whatever it says", "", {ab, "404 <html>", "ok 2"}, R"({"stock":{"a":null,"b":2},"failures":[]})"},
      {"no items", "", {"ok []"}, R"({"stock":{},"failures":[]})"},
      {"fail", "", {ab, "503 "}, "502 stock a: status 503"},
      {"not relayed", "", {"401 "}, "502 orders: status 401"},
      {"absent elsewhere", "", {"404 "}, "502 orders: status 404"},
      {"timeout", "", {"slow"}, "504 orders: http_response_timeout"},
      {"item type", "", {"ok [null]"}, "502 stock: an item is neither string nor number"},
      {"item type, later", "", {"ok [1,[2]]"}, "502 stock: an item is neither string nor number"},
      {"input", "", {R"(ok [""])"}, "502 stock: input is missing"},
      {"null",
       kNull,
       {ab, "503 ", "ok 2"},
       R"({"stock":{"a":null,"b":2},"failures":[{"step":"stock","item":"a","reason":"status 503"}]} !stock)"},
      {"fallback",
       kFallback,
       {ab, "ok 1", "slow"},
       R"({"stock":{"a":1,"b":7},"failures":[{"step":"stock","item":"b","reason":"http_response_timeout"}]} !stock)"},
      {"all, told in their order",
       kFallback,
       {R"(ok ["b",1])", "500 ", "error"},
       R"({"stock":{"b":7,"1":7},"failures":[{"step":"stock","item":"b","reason":"status 500"},)"
       R"({"step":"stock","item":1,"reason":"connection_refused"}]} !stock)"},
      {"input, null",
       kNull,
       {R"(ok ["..","b"])", "ok 2"},
       R"({"stock":{"..":null,"b":2},"failures":[{"step":"stock","item":"..","reason":"input is missing"}]} !stock)"},
      {"items, null",
       kNull,
       {"ok 3"},
       R"({"stock":{},"failures":[{"step":"stock","item":null,"reason":"items can't be told"}]} !stock)"},
      {"items, fallback",
       kFallback,
       {R"(ok ["a",true])"},
       R"({"stock":{},"failures":[{"step":"stock","item":null,)"
       R"("reason":"an item is neither string nor number"}]} !stock)"},
  };
  CheckRows(rows, [](std::string_view rule) { return Stock(rule); });
}

TEST(CompositionTest, RulesOfFailureOfOneCall) {
  const Row rows[] = {
      {"whole", "", {"ok 1"}, R"([{"status":200,"body":1},[]])"},
      {"201", "", {"201 1"}, R"([{"status":201,"body":1},[]])"},
      {"absent", "absent_on: [404, 410] ", {"410 gone"}, "[null,[]]"},
      {"not absent", "absent_on: [404, 410] ", {"403 "}, "502 a: status 403"},
      {"redirect", "", {"302 "}, "502 a: status 302"},
      {"fail", "", {"error"}, "502 a: connection_refused"},
      {"null", kNull, {"error"}, R"([null,[{"step":"a","item":null,"reason":"connection_refused"}]] !a)"},
      {"null, timeout", kNull, {"slow"}, R"([null,[{"step":"a","item":null,"reason":"http_response_timeout"}]] !a)"},
      {"fallback",
       kFallback,
       {"503 "},
       R"([{"status":null,"body":7},[{"step":"a","item":null,"reason":"status 503"}]] !a)"},
      {"absent is no failure", kFallback + std::string("absent_on: 404 "), {"404 "}, "[null,[]]"},
      {"not JSON", "", {"type 1"}, "502 a: not JSON"},
      {"encoded", "", {"gzip"}, "502 a: content is encoded"},
      {"malformed", "", {"ok {"}, "502 a: malformed JSON"},
      {"two values", "", {"ok 1 2"}, "502 a: malformed JSON"},
      {"no content", "", {"ok"}, "502 a: malformed JSON"},
  };
  CheckRows(rows, [](std::string_view rule) {
    return base::Concat(
        "steps { name: 'a' ", Call("/a"), rule,
        "} answer { body: '[if $a then {status: $a.status, body: $a.body} else null end, $failures]' }");
  });
}

TEST(CompositionTest, TheAnswersFields) {
  const struct {
    std::string_view name;
    std::string_view headers;
    std::string_view answer;
    std::string_view fields;
  } rows[] = {
      {"defaults", "", "ok 1", "cache-control: private, no-store\ncontent-type: application/json\n"},
      {"own",
       "headers { name: 'Cache-Control' value: 'max-age=${a.body}' } headers { name: 'X-A' value: '${a.status}' }",
       "ok 60", "cache-control: max-age=60\nx-a: 200\ncontent-type: application/json\n"},
      {"own type", "headers { name: 'content-type' value: 'application/x+json' }", "ok 1",
       "content-type: application/x+json\ncache-control: private, no-store\n"},
      {"incomplete", "", "error",
       "cache-control: private, no-store\ncontent-type: application/json\nportico-incomplete: a\n"},
      {"value is missing", "headers { name: 'x-a' value: '${a.body.b}' }", "ok 1", ""},
      {"value with a line's end", "headers { name: 'x-a' value: '${a.body}' }", R"(ok "b\r\nset-cookie: c")", ""},
  };
  for (const auto& row : rows) {
    TestRun run(base::Concat("steps { name: 'a' ", Call("/a"), kNull, "} answer { body: '1' ", row.headers, " }"));
    run.backend.Answer(0, row.answer);
    EXPECT_EQ(run.fields, row.fields) << row.name;
    if (row.fields.empty()) EXPECT_EQ(run.result, "502 answer: can't be made") << row.name;
  }
}

// What an origin hears of a call, or how its step fails.
TEST(CompositionTest, TemplatesOnTheWire) {
  const std::string_view request = R"({"s":"a b/ü?#%&=","empty":"","dot":".","dots":"..","n":1.50,"t":true,
      "null":null,"list":[1,"x"],"o":{"k-1":"v"},"lines":"a\r\nhost: b"})";
  const struct {
    std::string_view call;  // after the backend
    std::string_view wire;  // target and fields, or a failure
  } rows[] = {
      {"path: '/x'", "/x"},
      {"path: '/${request.s}/y'", "/a%20b%2F%C3%BC%3F%23%25%26%3D/y"},
      {"path: '/${request.n}/${request.t}/${request.list[1]}/${request.o.k-1}'", "/1.50/true/x/v"},
      {"path: '/a${request.dot}/b'", "/a./b"},
      {"path: '/$${request.s}'", "/${request.s}"},
      {"path: '/${request.empty}'", "502 a: input is missing"},
      {"path: '/${request.null}'", "502 a: input is missing"},
      {"path: '/${request.o}'", "502 a: input is missing"},
      {"path: '/${request.list}'", "502 a: input is missing"},
      {"path: '/${request.list[2]}'", "502 a: input is missing"},
      {"path: '/${request.none}'", "502 a: input is missing"},
      {"path: '/${identity.subject}'", "502 a: input is missing"},
      {"path: '/${request.dot}'", "502 a: input is missing"},
      {"path: '/${request.dots}/b'", "502 a: input is missing"},
      {"path: '/${request.dot}${request.dot}/b'", "502 a: input is missing"},
      {"path: '/' query { name: 'q r' value: '${request.s}' } query { name: 'n' value: '2' }",
       "/?q%20r=a%20b%2F%C3%BC%3F%23%25%26%3D&n=2"},
      {"path: '/' query { name: 'q' value: '${request.dots}' }", "/?q=.."},
      {"path: '/' query { name: 'q' value: '' }", "/?q="},
      {"path: '/' query { name: 'q' value: '${request.empty}' }", "502 a: input is missing"},
      {"path: '/' query { name: 'q' value: '${request.none}' }", "502 a: input is missing"},
      {"path: '/' headers { name: 'X-S' value: '<${request.s}>' }", "/ x-s: <a b/ü?#%&=>"},
      {"path: '/' headers { name: 'x-empty' value: '${request.empty}' }", "/ x-empty: "},
      {"path: '/' headers { name: 'x-l' value: '${request.lines}' }", "502 a: input is missing"},
      {"path: '/' headers { name: 'x-l' value: '${request.null}' }", "502 a: input is missing"},
  };
  for (const auto& row : rows) {
    RunOptions options;
    options.request = request;
    options.identity = R"({"subject":null})";
    TestRun run(
        base::Concat("steps { name: 'a' call { backend_ref { name: 'shop' } ", row.call, " } } answer { body: '1' }"),
        options);
    if (row.wire.front() != '/') {
      EXPECT_EQ(run.result, row.wire) << row.call;
      EXPECT_TRUE(run.backend.started.empty()) << row.call;
      EXPECT_NE(run.detail.find("${"), std::string::npos) << row.call << ": " << run.detail;
      continue;
    }
    ASSERT_EQ(run.backend.started.size(), 1U) << row.call << ": " << run.result;
    const FakeBackend::Started& call = run.backend.started[0];
    const size_t target_bytes = std::min(row.wire.find(' '), row.wire.size());
    EXPECT_EQ(call.target, row.wire.substr(0, target_bytes)) << row.call;
    EXPECT_EQ(call.host, "shop") << row.call;
    const std::string_view own = row.wire.substr(std::min(row.wire.size(), target_bytes + 1));
    EXPECT_EQ(call.fields, base::Concat("accept: application/json\ntraceparent: t\n", own, own.empty() ? "" : "\n"))
        << row.call;
  }
}

TEST(CompositionTest, ATargetThatIsTooLongFailsItsStep) {
  RunOptions options;
  const std::string request = "\"" + std::string(9000, 'x') + "\"";
  options.request = request;
  EXPECT_EQ(TestRun(base::Concat("steps { name: 'a' ", Call("/${request}"), "} answer { body: '1' }"), options).result,
            "502 a: input is missing");
}

TEST(CompositionTest, IndependentStepsStartAtOnce) {
  const std::string spec = base::Concat("steps { name: 'c' ", Call("/c/${a.body}/${b.body}"),
                                        "timeouts { request { seconds: 2 } } } ", "steps { name: 'a' ", Call("/a"),
                                        "} steps { name: 'b' ", Call("/b"), "} answer { body: '$c.body' }");
  for (const bool a_first : {true, false}) {
    TestRun run(spec);
    ASSERT_EQ(run.backend.started.size(), 2U);
    EXPECT_EQ(run.backend.started[0].target, "/a");
    EXPECT_EQ(run.backend.started[1].target, "/b");
    run.backend.Answer(a_first ? 0 : 1, a_first ? "ok 1" : "ok 2");
    EXPECT_EQ(run.backend.started.size(), 2U) << "c needs both";
    run.backend.Answer(a_first ? 1 : 0, a_first ? "ok 2" : "ok 1");
    ASSERT_EQ(run.backend.started.size(), 3U);
    EXPECT_EQ(run.backend.started[2].target, "/c/1/2");
    EXPECT_EQ(run.backend.started[0].timeout, std::nullopt);
    EXPECT_EQ(run.backend.started[2].timeout, std::chrono::seconds(2));
    run.backend.Answer(2, "ok 3");
    EXPECT_EQ(run.result, "3");
  }
}

TEST(CompositionTest, ParallelIsBoundedAndItemsKeepTheirOrder) {
  TestRun run(Stock(""));
  ASSERT_EQ(run.backend.started.size(), 1U);
  run.backend.Answer(0, "ok [3,1,2,1]");
  EXPECT_EQ(run.backend.UnderWay(), 2U);
  EXPECT_EQ(run.backend.started[2].target, "/stock/1");
  run.backend.Tell(2, "head 200 application/json");
  run.backend.Tell(2, "content \"y\"");
  EXPECT_EQ(run.backend.started.size(), 3U) << "not before the end";
  run.backend.Tell(2, "end");
  EXPECT_EQ(run.backend.UnderWay(), 2U);
  run.backend.Answer(3, "ok \"z\"");
  run.backend.Answer(1, "ok \"x\"");
  EXPECT_EQ(run.result, R"({"stock":{"3":"x","1":"y","2":"z"},"failures":[]})");
}

// A failed call leaves its place to the next item.
TEST(CompositionTest, FailuresKeepTheBoundToo) {
  TestRun run(Stock(kNull));
  run.backend.Answer(0, "ok [1,2,3,4,\"..\",5]");
  for (size_t place = 1; place <= 5; ++place) {
    EXPECT_EQ(run.backend.UnderWay(), std::min<size_t>(2, 6 - place)) << place;
    run.backend.Answer(place, place % 2 == 0 ? "error" : "500 ");
  }
  EXPECT_EQ(run.endings, 1);
  EXPECT_EQ(run.backend.started.size(), 6U) << "none for ..";
}

TEST(CompositionTest, DistinctItemsAreCalledOnceAndCounted) {
  const struct {
    std::string_view items;
    std::string_view max;
    std::string_view result;  // targets, or a failure
  } rows[] = {
      {R"(["a","b","a","b"])", "max_items: 2", "/stock/a /stock/b "},
      {R"(["a","b","c"])", "max_items: 2", "502 stock: too many items"},
      {R"([1,"1",1.0,2])", "", "/stock/1 /stock/1.0 /stock/2 "},  // a number's text is its key, as in the programs
      {R"(["a b","a%20b"])", "", "/stock/a%20b /stock/a%2520b "},
  };
  for (const auto& row : rows) {
    TestRun run(Stock("", row.max));
    run.backend.Answer(0, base::Concat("ok ", row.items));
    std::string targets;
    for (size_t place = 1; place < run.backend.started.size(); ++place) {
      targets += run.backend.started[place].target + " ";
      run.backend.Answer(place, "ok 1");
    }
    EXPECT_EQ(targets.empty() ? run.result : targets, row.result) << row.items;
  }
  std::string many = "ok [";
  for (int i = 0; i < 101; ++i)
    many += base::Concat(i == 0 ? "" : ",", i);
  TestRun run(Stock(""));
  run.backend.Answer(0, many + "]");
  EXPECT_EQ(run.result, "502 stock: too many items");
}

TEST(CompositionTest, WhatBecameOfEachStepIsTold) {
  struct Row {
    std::string_view name, rule;
    std::vector<std::string_view> answers;  // to the calls, in their order
    std::string_view outcomes;
  };
  const Row rows[] = {
      {"all are well", "", {"ok 1", "ok 2"}, "a=ok(0/2) b=ok(0/0)"},
      {"one is null", "on_failure: ON_FAILURE_USE_NULL", {"ok 1", "500 2"}, "a=null(1/2) b=ok(0/0)"},
      {"one fails all", "", {"500 1"}, "a=failed(1/2) b=unfinished(0/0)"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    RunOptions options;
    options.keeps = true;
    options.request = "[1,2]";
    TestRun run(
        base::Concat("steps { name: 'a' for_each { items: '$request[]' } ", Call("/a/${each}"), row.rule,
                     " } steps { name: 'b' for_each { items: '$a | empty' } ", Call("/b"), " } answer { body: '1' }"),
        options);
    for (size_t i = 0; i < row.answers.size(); ++i)
      EXPECT_TRUE(run.backend.Answer(i, row.answers[i])) << i;
    std::string told;
    for (const observe::StepRecord& step : run.composition->Records()) {
      told +=
          base::Concat(told.empty() ? "" : " ", step.name, "=", step.outcome, "(", step.failed, "/", step.items, ")");
    }
    EXPECT_EQ(told, row.outcomes);
  }
}

}  // namespace
}  // namespace portico::compose
