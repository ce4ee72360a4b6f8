#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/composition.h"
#include "dataplane/compose/test_run.h"

namespace portico::compose {
namespace {

constexpr char kNull[] = "on_failure: ON_FAILURE_USE_NULL ";

std::string Step(std::string_view name, std::string_view extra = "") {
  return base::Concat("steps { name: '", name, "' call { backend_ref { name: 'shop' } path: '/", name, "' } ", extra,
                      "} ");
}
std::string Answer(std::string_view body) {
  return base::Concat("answer { body: '", body, "' }");
}
std::string Text(size_t bytes) {
  return "ok \"" + std::string(bytes - 2, 'x') + "\"";
}

TEST(CompositionLimitsTest, Contents) {
  Limits limits;
  limits.call_content_bytes_max = 1000;
  limits.total_content_bytes_max = 2500;
  limits.call_values_max = 50;
  limits.answer_bytes_max = 1500;
  std::string values = "ok [0";
  for (int i = 1; i < 60; ++i)
    values += ",0";
  const struct {
    std::string_view name;
    std::vector<std::string> answers;  // of a, b and c
    std::string_view body;
    std::string_view result;
  } rows[] = {
      {"as large as may be", {Text(1000), Text(1000), Text(500)}, "1", "1"},
      {"of one call", {Text(1001)}, "1", "502 a: content is too large"},
      {"of one call that is absent", {"404 " + std::string(1001, 'x')}, "1", "502 a: content is too large"},
      {"of all calls", {Text(1000), Text(1000), Text(501)}, "1", "502 c: contents are too large"},
      {"values", {values + "]"}, "1", "502 a: malformed JSON"},
      {"answer", {Text(1000), Text(600), "ok 1"}, "$a.body + $b.body", "502 answer: can\'t be made"},
      {"answer, by sharing", {Text(1000), "ok 1", "ok 1"}, "[$a.body, $a.body]", "502 answer: can\'t be made"},
  };
  for (const auto& row : rows) {
    RunOptions options;
    options.limits = limits;
    TestRun run(Step("a", "absent_on: 404 ") + Step("b") + Step("c") + Answer(row.body), options);
    for (size_t i = 0; i < row.answers.size(); ++i)
      run.backend.Answer(i, row.answers[i]);
    EXPECT_EQ(run.result, row.result) << row.name;
    EXPECT_EQ(run.backend.UnderWay(), 0U) << row.name;
  }
}

// Content is judged as it comes, not when it is whole.
TEST(CompositionLimitsTest, ContentInPiecesIsRefusedAtOnce) {
  RunOptions options;
  options.limits.call_content_bytes_max = 10;
  TestRun run(Step("a") + Answer("1"), options);
  run.backend.Tell(0, "head 200 application/json");
  for (int i = 0; i < 10; ++i)
    run.backend.Tell(0, "content x");
  EXPECT_EQ(run.endings, 0);
  run.backend.Tell(0, "content x");
  EXPECT_EQ(run.result, "502 a: content is too large");
}

// A program that does not end soon holds up every exchange of its worker.
TEST(CompositionLimitsTest, ProgramsRunOutOfFuel) {
  const struct {
    std::string_view name;
    std::string_view items;
    std::string_view rule;
    std::string_view body;
    uint64_t fuel;
    std::string_view result;
  } rows[] = {
      {"enough", "[range(100)] | length", "", "[range(100)] | length", 10'000, "100"},
      {"items", "[range(10000)] | length", "", "1", 10'000, "502 a: items can't be told"},
      {"items, null", "[range(10000)] | length", kNull, "$failures[0].reason", 10'000, "\"items can't be told\" !a"},
      {"answer", "1", "", "[range(10000)] | length", 10'000, "502 answer: can't be made"},
      {"by default", "range(10000000) | select(. < 0)", "", "1", Limits().evaluation_fuel,
       "502 a: items can't be told"},
      {"without an output", "1", "", "reduce range(10000000) as $i (0; . + $i)", Limits().evaluation_fuel,
       "502 answer: can't be made"},
  };
  for (const auto& row : rows) {
    RunOptions options;
    options.limits.evaluation_fuel = row.fuel;
    TestRun run(Step("a", base::Concat("for_each { items: '", row.items, "' } ", row.rule)) + Answer(row.body),
                options);
    run.backend.Answer(0, "ok 1");
    EXPECT_EQ(run.result, row.result) << row.name;
    if (run.result.starts_with("502")) EXPECT_NE(run.detail.find("fuel"), std::string::npos) << row.name;
  }
  EXPECT_LE(Limits().evaluation_fuel, 1'000'000U) << "some 10 ms of the loop";
}

// Each program is content with its own share, but there are many. The answer has its own whatever the steps used up.
TEST(CompositionLimitsTest, ProgramsShareTheirFuel) {
  const struct {
    std::string_view name;
    std::string_view rule;
    uint64_t total_fuel;
    std::string_view result;
  } rows[] = {
      {"enough for all", "", 100'000, "1"},
      {"not for the last step", "", 45'000, "502 c: items can't be told"},
      {"an optional step leaves the answer its own", kNull, 45'000, "1 !c"},
      {"as much as one program may have is the answer's", kNull, 20'000, "1 !a, b, c"},
      {"less than one program may have", kNull, 5'000, "502 answer: can't be made"},
  };
  for (const auto& row : rows) {
    RunOptions options;
    options.limits.evaluation_fuel = 20'000;
    options.limits.total_evaluation_fuel = row.total_fuel;
    const std::string program = "[range(5000)] | length";
    std::string steps;
    for (const std::string_view name : {"a", "b", "c"})
      steps += Step(name, base::Concat("for_each { items: '", program, "' } ", row.rule));
    TestRun run(steps + Answer(program + " | 1"), options);
    for (size_t i = 0; i < 3 && run.endings == 0; ++i)
      run.backend.Answer(i, "ok 1");
    EXPECT_EQ(run.result, row.result) << row.name;
    if (run.result.starts_with("502")) EXPECT_NE(run.detail.find("fuel"), std::string::npos) << row.name;
  }
  EXPECT_LE(Limits().total_evaluation_fuel, 3'000'000U) << "some 30 ms of the loop";
}

TEST(CompositionLimitsTest, HeadsCountAndAreJoinedOnce) {
  RunOptions options;
  options.limits.arena_bytes_max = 128 << 10;
  TestRun run(
      "steps { name: 'a' for_each { items: 'range(100)' parallel: 1 } call { backend_ref { name: 'c' } "
      "path: '/${each}' } " +
          std::string(kNull) + "} " + Answer("$failures | map(.reason) | unique"),
      options);
  // One name in a hundred lines is 20 kB, not 2 MB.
  http::ResponseHead lines(*run.backend.started[0].arena);
  lines.status = 200;
  lines.fields.Add("content-type", "application/json");
  for (int i = 0; i < 90; ++i)
    lines.fields.Add("x-a", std::string(100, 'a'));
  run.backend.started[0].handler->OnResponse(std::move(lines));
  run.backend.Tell(0, "content 1");
  run.backend.Tell(0, "end");
  ASSERT_TRUE(run.backend.Hears(1)) << run.result;
  // Heads of failed calls stay in memory: at some point no further call is made.
  for (size_t place = 1; run.backend.Hears(place); ++place) {
    http::ResponseHead head(*run.backend.started[place].arena);
    head.status = 503;
    head.fields.Add("x-a", std::string(10'000, 'a'));
    run.backend.started[place].handler->OnResponse(std::move(head));
  }
  EXPECT_LT(run.backend.started.size(), 30U);
  EXPECT_EQ(run.result, "502 answer: can't be made") << "no room is left";
}

TEST(CompositionLimitsTest, AnItemInTheLogIsCutBetweenCharacters) {
  std::string item;
  for (int i = 0; i < 100; ++i)
    item += "x\xc3\xbc";  // ü
  TestRun run("steps { name: 'a' for_each { items: '\"" + item +
              "\"' } call { backend_ref { name: 'c' } path: '/${each}' } } " + Answer("1"));
  run.backend.Answer(0, "500 ");
  ASSERT_TRUE(run.result.starts_with("502 a x")) << run.result;
  const std::string shown = run.result.substr(6, run.result.find(':') - 6);
  EXPECT_TRUE(shown.ends_with("x...") || shown.ends_with("\xc3\xbc...")) << shown;
  EXPECT_LE(shown.size(), Composition::kItemBytesMax + 3);
}

class CompositionBudgetTest : public testing::Test {
 protected:
  static constexpr size_t kBytesMax = 96 << 10;
  std::unique_ptr<TestRun> Start(std::string_view rule = "", std::string_view body = "$a.body | length") {
    RunOptions options;
    options.budget = &budget_;
    return std::make_unique<TestRun>(Step("a", rule) + Answer(body), options);
  }
  // A composition that holds this much of an answer that never ends.
  std::unique_ptr<TestRun> Hold(size_t bytes) {
    std::unique_ptr<TestRun> run = Start();
    run->backend.Tell(0, "head 200 application/json");
    run->backend.Tell(0, "content " + std::string(bytes, ' '));
    return run;
  }

  Budget budget_{kBytesMax};
};

TEST_F(CompositionBudgetTest, IsOfAllCompositionsTogether) {
  std::vector<std::unique_ptr<TestRun>> held;
  for (int i = 0; i < 2; ++i)
    held.push_back(Hold(20'000));
  EXPECT_GE(budget_.bytes(), 40'000U);
  EXPECT_EQ(held[0]->endings + held[1]->endings, 0);
  const std::unique_ptr<TestRun> failed = Hold(60'000);
  EXPECT_EQ(failed->result, "503 a: too much content at once");
  EXPECT_EQ(failed->backend.UnderWay(), 0U);
  EXPECT_LE(budget_.bytes(), 70'000U) << "a failure gives its share back";
  held.pop_back();
  const std::unique_ptr<TestRun> fits = Hold(15'000);
  EXPECT_EQ(fits->endings, 0) << fits->result;
  fits->backend.Tell(0, "content 1");
  fits->backend.Tell(0, "end");
  EXPECT_EQ(fits->result, "1");
  held.clear();
  EXPECT_EQ(budget_.bytes(), 0U);
}

TEST_F(CompositionBudgetTest, FollowsTheStepsRule) {
  const std::unique_ptr<TestRun> held = Hold(kBytesMax - 6000);
  const std::unique_ptr<TestRun> run = Start(kNull, "$failures[0].reason");
  run->backend.Answer(0, Text(20'000));
  EXPECT_EQ(run->result, "\"too much content at once\" !a");
}

// What came is held once when it is read, not as it came as well, though its composition goes on.
TEST_F(CompositionBudgetTest, ContentsAreGivenBackAsTheyEnd) {
  Budget budget(800'000);
  RunOptions options;
  options.budget = &budget;
  TestRun run(
      "steps { name: 'a' for_each { items: 'range(20)' parallel: 1 } call { backend_ref { name: 'c' } "
      "path: '/${each}' } } " +
          Answer("$a | length"),
      options);
  for (size_t place = 0; place < 20; ++place) {
    EXPECT_TRUE(run.backend.Answer(place, "ok 1" + std::string(20'000, ' '))) << place;
  }
  EXPECT_EQ(run.result, "20");
}

// The values of an answer take more than its text, and a program's more than either.
TEST_F(CompositionBudgetTest, CountsValuesAndPrograms) {
  std::string zeros = "ok [0";
  for (int i = 1; i < 5000; ++i)
    zeros += ",0";
  zeros += "]";
  EXPECT_EQ(Start("", "[range(100)] | length")->result, "");
  const std::unique_ptr<TestRun> values = Start("");
  values->backend.Answer(0, zeros);  // 10 kB of text, 120 kB of values
  EXPECT_EQ(values->result, "503 a: too much content at once");
  const std::unique_ptr<TestRun> program = Start("", "[range(10000)] | length");
  program->backend.Answer(0, "ok 1");
  EXPECT_EQ(program->result, "503 answer: too much content at once");
  EXPECT_EQ(budget_.bytes(), 0U);
}

TEST_F(CompositionBudgetTest, NoFurtherCallIsMadeOverIt) {
  std::unique_ptr<TestRun> held = Hold(kBytesMax - 1);
  EXPECT_EQ(held->result, "503 a: too much content at once") << "its string alone is more";
  held = Hold(40'000);
  EXPECT_EQ(budget_.room() > 0, true);
  std::unique_ptr<TestRun> more = Hold(kBytesMax - budget_.bytes() - 8192);
  ASSERT_EQ(more->endings, 0);
  more->backend.Tell(0, "content " + std::string(20'000, ' '));
  EXPECT_EQ(more->result, "503 a: too much content at once");
  EXPECT_TRUE(Start()->backend.started.size() == 1U) << "there is room again";
}

}  // namespace
}  // namespace portico::compose
