#include "api/jq/program.h"

#include <string>
#include <thread>
#include <vector>

#include "api/base/text.h"
#include "api/jq/evaluate.h"
#include "gtest/gtest.h"

namespace portico::jq {
namespace {

const std::vector<std::string> kNames = {"request", "identity", "orders"};

std::string Refusal(const std::string& text, const CompileLimits& limits = {}) {
  const auto program = Program::Compile(text, kNames, limits);
  return program.ok() ? "" : std::string(base::ToStd(program.status().message()));
}

std::string Repeat(const std::string& text, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

struct VariablesRow {
  const char* name;
  const char* program;
  std::vector<std::string> used;
};

TEST(Program, TellsWhichVariablesItUses) {
  const VariablesRow rows[] = {
      {"none", "1", {}},
      {"one", "$orders.body", {"orders"}},
      {"in their order, once", "$orders, $request, $orders", {"request", "orders"}},
      {"in a string", "\"\\($identity.subject)\"", {"identity"}},
      {"in an object", "{$orders}", {"orders"}},
      {"in a key", "{($orders): 1}", {"orders"}},
      {"in a reduce", "reduce $orders[] as $x (0; . + $x + $request)", {"request", "orders"}},
      {"hidden by a local", "1 as $orders | $orders", {}},
      {"visible again after a local", "(1 as $orders | $orders), $orders", {"orders"}},
      {"the source of what hides it", "$orders as $orders | $orders", {"orders"}},
  };
  for (const VariablesRow& row : rows) {
    const auto program = Program::Compile(row.program, kNames);
    ASSERT_TRUE(program.ok()) << row.name << ": " << program.status();
    EXPECT_EQ(program->variables_used(), row.used) << row.name;
  }
}

struct RefusalRow {
  const char* program;
  const char* error;  // begins with
};

TEST(Program, RefusesByName) {
  const RefusalRow rows[] = {
      {"$ordrs", "line 1, column 1: $ordrs is not defined; did you mean $orders?"},
      {"1 |\n  $zzz", "line 2, column 3: $zzz is not defined; defined are $request, $identity, $orders"},
      {"(1 as $x | $x) | $x", "line 1, column 18: $x is not defined"},
      {"reduce .[] as $x ($x; 1)", "line 1, column 19: $x is not defined"},
      {"reduce .[] as $total (0; $totla)", "line 1, column 26: $totla is not defined; did you mean $total?"},
      {"limit(1; .)", "line 1, column 1: `limit` is not supported; supported builtins are add, all, any, contains"},
      {"lenght", "line 1, column 1: `lenght` is not supported; did you mean `length`?"},
      {"map", "line 1, column 1: `map/0` is not supported; `map` takes 1 argument"},
      {"range(1; 2; 3; 4)", "line 1, column 1: `range/4` is not supported; `range` takes 1 to 3 arguments"},
      {"split(\",\"; \"g\")", "line 1, column 1: `split/2` is not supported"},
      {"def f: 1; f", "line 1, column 1: `def` is not supported"},
      {"import \"a\" as a; 1", "line 1, column 1: `import` is not supported"},
      {"include \"a\"; 1", "line 1, column 1: `include` is not supported"},
      {"foreach .[] as $x (0; 1)", "line 1, column 1: `foreach` is not supported"},
      {"label $out | 1", "line 1, column 1: `label` is not supported"},
      {"break $out", "line 1, column 1: `break` is not supported"},
      {"try 1 catch 2", "line 1, column 1: `try` is not supported"},
      {"$ENV.PATH", "line 1, column 1: `$ENV` is not supported"},
      {"$__loc__", "line 1, column 1: `$__loc__` is not supported"},
      {"env", "line 1, column 1: `env` is not supported"},
      {"input", "line 1, column 1: `input` is not supported"},
      {"@base64", "line 1, column 1: `@base64` is not supported"},
      {"..", "line 1, column 1: `..` is not supported"},
      {".a = 1", "line 1, column 4: assignment (`=`) is not supported"},
      {".a |= 1", "line 1, column 4: assignment (`|=`) is not supported"},
      {".a //= 1", "line 1, column 4: assignment (`//=`) is not supported"},
      {". as [$a] | 1", "line 1, column 6: taking values apart after `as` is not supported"},
      {". as {a: $a} | 1", "line 1, column 6: taking values apart after `as` is not supported"},
      {". as $a ?// $b | 1", "line 1, column 9: `?//` is not supported"},
      {"error(\"x\")", "line 1, column 1: `error` is not supported"},
      {"test(\"(\")", "line 1, column 1: bad pattern for test: missing ): ("},
      {"{a: 1 + 2}",
       "line 1, column 7: expected `,` or `}` (an expression with operators needs brackets here), not `+`"},
      {"1 == 2 == 3", "line 1, column 8: comparisons in a row need brackets"},
      {"", "line 1, column 1: expected an expression, not the end"},
      {"(1", "line 1, column 3: expected `)`, not the end"},
      {"[1,]", "line 1, column 4: expected an expression, not `]`"},
      {"\"abc", "line 1, column 5: a string without its end"},
      {"\"\\x\"", "line 1, column 3: an unknown escape in a string"},
      {"\"\\ud800\"", "line 1, column 8: half a surrogate pair in a string"},
      {"\"\\(1\"", "line 1, column 5: expected `)`, not `\"`"},
      {"if 1 then 2", "line 1, column 12: expected `end`, not the end"},
      {". a", "line 1, column 3: expected the end, not `a`"},
      {".a.[0]", "line 1, column 4: expected a name after `.`, not `[`"},
      {"1 ^ 2", "line 1, column 3: expected the end, not `^`"},
      {"$ ", "line 1, column 3: expected a variable's name after `$`, not the end"},
      {"\xff", "the program is not UTF-8"},
  };
  for (const RefusalRow& row : rows) {
    const std::string error = Refusal(row.program);
    EXPECT_TRUE(error.starts_with(row.error)) << row.program << "\n  is:     " << error << "\n  wanted: " << row.error;
  }
}

TEST(Program, RefusesWhatIsTooLongOrTooDeep) {
  constexpr size_t kMany = 20000;
  EXPECT_EQ(Refusal(Repeat(" ", 65537)), "the program is longer than 65536 bytes");
  const std::string deep[] = {
      Repeat("(", kMany),
      Repeat("[", kMany),
      Repeat("{a:", kMany),
      Repeat("-", kMany) + "1",
      Repeat("\"\\(", kMany),
      Repeat("if ", kMany),
      Repeat("1 as $x|", 8000),
      Repeat(".a|[", 16000),
      Repeat("1//", kMany) + "1",
      Repeat(".[", kMany),
      Repeat("map(", 16000),
      Repeat("if 1 then 1 el", 4000),
      Repeat("reduce 1 as $x (", 4000),
  };
  for (const std::string& text : deep) {
    EXPECT_NE(Refusal(text).find("nested deeper than 100 levels"), std::string::npos) << text.substr(0, 20);
  }
  const std::string wide[] = {"1" + Repeat("+1", kMany), "1" + Repeat("?", kMany), "." + Repeat("[]", kMany),
                              "{a:" + Repeat("-", kMany) + "1}"};
  for (const std::string& text : wide) {
    EXPECT_NE(Refusal(text).find("too many generators"), std::string::npos) << text.substr(0, 20) << Refusal(text);
  }
}

// What is long but flat costs no stack.
TEST(Program, TakesLongPipesAndLists) {
  for (const std::string& text : {"." + Repeat("|.", 20000), "[1" + Repeat(",1", 20000) + "]"}) {
    EXPECT_EQ(Refusal(text), "") << text.substr(0, 20);
  }
}

TEST(Program, FailsOnEveryBeginningOfAProgramWithoutHarm) {
  const std::string text =
      "{orders: [$orders[] as $o | $o | {id, \"n\\(.n)\": (.a // [1:2]?), lines: (reduce .[] as $x ({}; . + "
      "{($x|tostring): "
      "-1.5e3}))}] | if test(\"a\") and . then 1 elif 2 then 3 else 4 end}  # done";
  for (size_t length = 0; length <= text.size(); ++length) {
    (void)Program::Compile(text.substr(0, length), kNames);
    (void)Program::Compile(text.substr(length), kNames);
  }
}

TEST(Program, IsSharedByThreads) {
  const auto program = Program::Compile("[$orders[] | select(test(\"a\")) | \"\\(.)!\"] | join(\",\")", kNames);
  ASSERT_TRUE(program.ok()) << program.status();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&program] {
      for (int round = 0; round < 200; ++round) {
        base::Arena arena;
        const auto orders = base::ParseJson(R"(["a","b","ca"])", arena);
        const Binding bindings[] = {{"orders", *orders}};
        const auto result = EvaluateOne(*program, bindings, base::Json(), arena);
        ASSERT_TRUE(result.ok());
        ASSERT_EQ(result->string(), "a!,ca!");
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
}

}  // namespace
}  // namespace portico::jq
