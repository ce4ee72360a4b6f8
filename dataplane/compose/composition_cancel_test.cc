#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/test_run.h"

namespace portico::compose {
namespace {

std::string Step(std::string_view name, std::string_view path, std::string_view extra = "") {
  return base::Concat("steps { name: '", name, "' call { backend_ref { name: 'shop' } path: '", path, "' } ", extra,
                      "} ");
}

struct Event {
  size_t call;
  std::string what;
};

constexpr char kAnswer[] = "answer { body: '1' }";

// The client leaves, or a deadline strikes: after every event that a composition waits for.
TEST(CompositionCancelTest, AfterEachEvent) {
  const std::string spec = Step("stock", "/stock/${each}", "for_each { items: '$orders.body[]' parallel: 2 } ") +
                           Step("orders", "/orders") + Step("user", "/user", "on_failure: ON_FAILURE_USE_NULL ") +
                           kAnswer;
  const std::vector<Event> events = {
      {0, "head 200 application/json"},
      {0, "content [1,2,"},
      {1, "head 200 application/json"},
      {0, "content 3]"},
      {0, "trailers"},
      {0, "end"},
      {2, "head 200 application/json"},
      {2, "content 1"},
      {2, "end"},
      {3, "head 200 application/json"},
      {1, "error"},
      {4, "head 200 application/json"},
      {3, "content 2"},
      {3, "end"},
      {4, "content 3"},
      {4, "end"},
  };
  for (size_t count = 0; count < events.size(); ++count) {
    Budget budget;
    RunOptions options;
    options.budget = &budget;
    TestRun run(spec, options);
    for (size_t i = 0; i < count; ++i) {
      ASSERT_TRUE(run.backend.Hears(events[i].call)) << i;
      run.backend.Tell(events[i].call, events[i].what);
    }
    EXPECT_GT(run.backend.UnderWay(), 0U) << count;
    run.composition.reset();
    EXPECT_EQ(run.backend.UnderWay(), 0U) << count;
    EXPECT_EQ(run.endings, 0) << count;
    EXPECT_EQ(budget.bytes(), 0U) << count;
  }
  TestRun whole(spec);
  for (const Event& event : events)
    whole.backend.Tell(event.call, event.what);
  EXPECT_EQ(whole.result, "1 !user");
}

// Each way in which a composition ends, with another call under way: its handler destroys it inside that very callback,
// or keeps it. Either way it ends once, and nothing is heard any more.
TEST(CompositionCancelTest, InsideEachCallback) {
  const std::string other = Step("other", "/other");
  const std::string long_text(2 << 20, 'x');
  const struct {
    std::string_view name;
    std::string spec;
    std::vector<Event> events;
    std::string_view result;
  } rows[] = {
      {"Start, no call at all",
       "steps { name: 'a' for_each { items: 'empty' } call { backend_ref { name: 'c' } "
       "path: '/' } } ",
       {},
       "1"},
      {"Start, a template", Step("a", "/${request.none}"), {}, "502 a: input is missing"},
      {"Start, a template after a call", other + Step("a", "/${request.none}"), {}, "502 a: input is missing"},
      {"Start, the second of its items",
       other + Step("a", "/${each}", "for_each { items: '(1,\"..\")' } "),
       {},
       "502 a ..: input is missing"},
      {"Start, the items",
       other + Step("a", "/", "for_each { items: 'null[0][]' } "),
       {},
       "502 a: items can't be told"},
      {"OnResponse", other + Step("a", "/"), {{1, "head 500"}}, "502 a: status 500"},
      {"OnContent",
       other + Step("a", "/"),
       {{1, "head 200 application/json"}, {1, "content " + long_text}},
       "502 a: content is too large"},
      {"OnEnd", other + Step("a", "/"), {{1, "head 200 application/json"}, {1, "end"}}, "502 a: malformed JSON"},
      {"OnError", other + Step("a", "/"), {{1, "error"}}, "502 a: connection_refused"},
      {"OnEnd, the answer", Step("a", "/"), {{0, "head 200 application/json"}, {0, "content 1"}, {0, "end"}}, "1"},
      {"OnEnd, a step that begins then",
       other + Step("a", "/") + Step("b", "/${a.body.none}"),
       {{1, "head 200 application/json"}, {1, "content 1"}, {1, "end"}},
       "502 b: input is missing"},
      {"OnError, a step that begins then",
       other + Step("a", "/", "on_failure: ON_FAILURE_USE_NULL ") + Step("b", "/${a.body}"),
       {{1, "error"}},
       "502 b: input is missing"},
      {"OnEnd, the next item",
       other + Step("a", "/${each}", "for_each { items: '(1,\"..\")' parallel: 1 } "),
       {{1, "head 200 application/json"}, {1, "content 1"}, {1, "end"}},
       "502 a ..: input is missing"},
  };
  for (const auto& row : rows) {
    for (const bool keeps : {false, true}) {
      Budget budget;
      RunOptions options;
      options.budget = &budget;
      options.request = "{}";
      options.keeps = keeps;
      TestRun run(row.spec + kAnswer, options);
      for (const Event& event : row.events) {
        ASSERT_TRUE(run.backend.Hears(event.call)) << row.name;
        run.backend.Tell(event.call, event.what);
      }
      EXPECT_EQ(run.result, row.result) << row.name;
      EXPECT_EQ(run.endings, 1) << row.name;
      EXPECT_EQ(run.backend.UnderWay(), 0U) << row.name;
      EXPECT_EQ(run.composition != nullptr, keeps) << row.name;
      run.composition.reset();
      EXPECT_EQ(budget.bytes(), 0U) << row.name;
    }
  }
}

}  // namespace
}  // namespace portico::compose
