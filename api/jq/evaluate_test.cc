#include "api/jq/evaluate.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

// What a program gives is the comparison test's to say; here are the limits, bindings and the ways to ask.

namespace portico::jq {
namespace {

using base::Arena;
using base::Json;

const std::vector<std::string> kNames = {"a", "b"};

std::string Give(const std::string& text, const std::string& input, const EvaluateLimits& limits = {}) {
  Arena arena;
  const auto program = Program::Compile(text, kNames);
  if (!program.ok()) return program.status().ToString();
  base::JsonParseOptions options;
  options.depth_max = base::kJsonDepthMax;
  const auto value = base::ParseJson(input, arena, options);
  if (!value.ok()) return value.status().ToString();
  const auto result = Evaluate(*program, {}, *value, arena, limits);
  if (!result.ok()) return std::string(base::ToStd(result.status().message()));
  std::string out;
  for (const Json& output : *result)
    base::AppendJson(out, output, 1 << 20);
  return out;
}

std::string Over(std::string_view limit) {
  return base::Concat("the expression went over its limit: ", limit);
}

struct LimitRow {
  const char* name;
  const char* program;
  const char* limit;
};

TEST(Evaluate, EndsWhatWouldNotEnd) {
  EvaluateLimits limits;
  limits.fuel = 200'000;
  limits.depth_max = 50;
  limits.outputs_max = 1000;
  limits.output_bytes_max = 10'000;
  limits.arena_bytes_max = 1 << 20;
  const LimitRow rows[] = {
      {"counting", "reduce range(1e18) as $x (0; . + 1)", "fuel"},
      {"counting to nowhere", "last(range(1e18; 1e19; 1))", "fuel"},
      {"every combination", "first(empty, ([range(100)] | .[] as $a | .[] as $b | .[] as $c | select(false)))", "fuel"},
      {"sorting", "[range(30000)] | sort_by(-.) | length", "arena_bytes_max"},
      {"comparing what doubles", "reduce range(40) as $x (1; [., .]) | . == (. | [.[0], .[1]])", "fuel"},
      {"containing what doubles", "reduce range(40) as $x (1; [., .]) | contains([.[0], .[1]])", "fuel"},
      {"flattening what doubles", "reduce range(40) as $x (1; [., .]) | flatten | length", "arena_bytes_max"},
      {"printing what doubles", "reduce range(40) as $x (1; [., .]) | tostring | length", "arena_bytes_max"},
      {"text of what doubles", "reduce range(40) as $x (1; [., .]) | \"\\(.)\" | length", "arena_bytes_max"},
      {"giving out what doubles", "reduce range(40) as $x (1; [., .])", "output_bytes_max"},
      {"a doubling text", "reduce range(60) as $x (\"ab\"; . + .) | length", "arena_bytes_max"},
      {"a repeated text", "\"ab\" * 1e9 | length", "arena_bytes_max"},
      {"a long list", "[range(1e9)] | length", "arena_bytes_max"},
      {"joining", "[range(60000) | \"aaaaaaaaaaaaaaaaaaaaaaaa\"] | join(\",\") | length", "arena_bytes_max"},
      {"adding", "[range(9)|[range(9000)]] | add | length", "arena_bytes_max"},
      {"nesting arrays", "reduce range(60) as $x (1; [.])", "depth_max"},
      {"nesting objects", "reduce range(60) as $x (1; {a: .})", "depth_max"},
      {"many outputs", "range(1001)", "outputs_max"},
      {"much output", "range(60) | \"\\(.)\" * 200", "output_bytes_max"},
      {"a limit is not caught", "(reduce range(1e18) as $x (0; 1))?", "fuel"},
      {"nor taken for no value", "[(reduce range(1e18) as $x (0; 1))?] // 1", "fuel"},
  };
  for (const LimitRow& row : rows) {
    EXPECT_EQ(Give(row.program, "null", limits), Over(row.limit)) << row.name;
  }
  limits.fuel = 100'000'000;
  EXPECT_EQ(Give("range(1000)", "null", limits).substr(0, 4), "0123") << "as many as allowed";
  EXPECT_EQ(Give("reduce range(49) as $x (1; [.]) | length", "null", limits), "1") << "as deep as allowed";
}

TEST(Evaluate, DeepDataCostsNoStack) {
  EvaluateLimits limits;
  limits.depth_max = base::kJsonDepthMax;
  const std::string deep = std::string(999, '[') + std::string(999, ']');
  EXPECT_EQ(Give("[., .] | .[0] == .[1]", deep, limits), "true");
  EXPECT_EQ(Give("[., .] | unique | length", deep, limits), "1");
  EXPECT_EQ(Give("flatten", deep, limits), "[]");
  EXPECT_EQ(Give("tostring | length", deep, limits), "1998");
  EXPECT_EQ(Give("contains(.)", deep, limits), "true");
  EXPECT_EQ(Give("[[.]]", deep, limits), Over("depth_max"));
  std::string objects;
  for (int i = 0; i < 900; ++i)
    objects += "{\"a\":";
  objects += "1" + std::string(900, '}');
  EXPECT_EQ(Give(". * . == .", objects, limits), "true");
}

// Generators nested as deep as the compiler lets them.
TEST(Evaluate, DeepProgramsCostBoundedStack) {
  std::string pipes = "[.[]";
  for (int i = 0; i < 150; ++i)
    pipes += " | .[]?";
  EXPECT_EQ(Give(pipes + "]", "[[[1]]]"), "[]");
  std::string sums = "[(1,1)";
  for (int i = 0; i < 9; ++i)
    sums += " + (0,0)";
  EXPECT_EQ(Give(sums + "] | length", "null"), "1024");
  std::string object = "[{a0: (1, 1)";
  for (int i = 1; i < 80; ++i)
    object += base::Concat(", a", i, ": (1, empty)");
  EXPECT_EQ(Give(object + "}] | length", "null"), "2");
}

TEST(Evaluate, TakesVariablesByName) {
  Arena arena;
  const auto program = Program::Compile("[$b, .]", kNames);
  ASSERT_TRUE(program.ok());
  const Binding bindings[] = {{"b", Json::String("x")}, {"unused", Json()}};
  const auto result = EvaluateOne(*program, bindings, Json::Number(1), arena);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(*base::PrintJson(*result, 100), R"(["x",1])");
  const auto missing = EvaluateOne(*program, {}, Json(), arena);
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(missing.status().message(), "$b has no value");
}

TEST(Evaluate, OneMeansOne) {
  Arena arena;
  const auto one = [&](const char* text) {
    return EvaluateOne(*Program::Compile(text, kNames), {}, Json(), arena).status().ToString();
  };
  EXPECT_EQ(one("1"), "OK");
  EXPECT_EQ(one("empty"), "INVALID_ARGUMENT: the expression gave no value, where it must give exactly one");
  EXPECT_EQ(one("1, 2"), "INVALID_ARGUMENT: the expression gave several values, where it must give exactly one");
  EXPECT_EQ(one("range(1e18)"), "INVALID_ARGUMENT: the expression gave several values, where it must give exactly one");
  EXPECT_EQ(one(".[]"), "INVALID_ARGUMENT: Cannot iterate over null (null)");
}

TEST(Evaluate, DeliversWhatComesBeforeAnError) {
  Arena arena;
  std::vector<double> seen;
  const auto program = Program::Compile("1, 2, .[], 3", kNames);
  const auto keep = [&](const Json& value) {
    seen.push_back(value.number());
    return true;
  };
  EXPECT_FALSE(EvaluateEach(*program, {}, Json(), arena, {}, keep).ok());
  EXPECT_EQ(seen, (std::vector<double>{1, 2}));
}

// An error's text may end up in a header or a log: it is UTF-8 and short.
TEST(Evaluate, ErrorsAreShortAndWhole) {
  EXPECT_EQ(Give(".[]", R"("aééééééééé")"), "Cannot iterate over string (\"aéééé...)");
  EXPECT_LT(Give(".[" + std::string("\"") + std::string(5000, 'x') + "\"]", "1").size(), 100u);
}

}  // namespace
}  // namespace portico::jq
