#include "api/base/arguments.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portico::base {
namespace {

const std::vector<Flag> kFlags = {{.name = "file", .letter = 'f', .repeated = true, .required = true},
                                  {.name = "strict", .letter = 's', .has_value = false},
                                  {.name = "output"}};

TEST(Arguments, Parse) {
  const struct {
    const char* name;
    std::vector<std::string> words;
    std::string want;  // the flags in order, or the error
  } kRows[] = {
      {"a word behind", {"--file", "a"}, "file=a;"},
      {"equals", {"--file=a=b"}, "file=a=b;"},
      {"letter", {"-f", "a"}, "file=a;"},
      {"letter and value in one", {"-fa"}, "file=a;"},
      {"repeated", {"-fa", "--file=b"}, "file=a,b;"},
      {"a value that looks like a flag", {"--file", "--strict"}, "file=--strict;"},
      {"without value", {"-fa", "--strict"}, "file=a;strict=;"},
      {"letter without value", {"-s", "-fa"}, "file=a;strict=;"},
      {"help makes nothing required", {"--help"}, "help=;"},
      {"required", {"--strict"}, "-f (--file) is required"},
      {"no value", {"--file"}, "-f (--file) needs a value"},
      {"empty value", {"--file="}, "-f (--file) has an empty value"},
      {"empty word", {"--file", ""}, "-f (--file) has an empty value"},
      {"value for none", {"-fa", "--strict=1"}, "-s (--strict) takes no value"},
      {"letter for none with something behind it", {"-fa", "-s1"}, "-s (--strict) takes no value"},
      {"twice", {"-fa", "--output=a", "--output=a"}, "--output is given twice"},
      {"unknown", {"--ouput=a"}, "unknown flag `--ouput`; did you mean `--output`?"},
      {"unknown and like none", {"--xyz"}, "unknown flag `--xyz`"},
      {"unknown letter", {"-x"}, "unknown flag `-x`"},
      {"no flag", {"file"}, "unexpected argument `file`"},
      {"a dash", {"-"}, "unexpected argument `-`"},
      {"two dashes", {"--"}, "unknown flag `--`"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const absl::StatusOr<Arguments> arguments = ParseArguments(row.words, kFlags);
    std::string got = arguments.ok() ? "" : std::string(arguments.status().message());
    if (arguments.ok()) {
      for (const auto& [name, values] : arguments->flags) {
        got += name + "=";
        for (const std::string& value : values)
          got += (&value == &values.front() ? "" : ",") + value;
        got += ";";
      }
    }
    EXPECT_EQ(got, row.want);
  }
}

TEST(Arguments, Get) {
  const auto arguments = ParseArguments({"-fa", "-fb"}, kFlags);
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->Get("file"), "a");
  EXPECT_EQ(arguments->Get("output", "table"), "table");
  EXPECT_EQ(arguments->All("file"), (std::vector<std::string>{"a", "b"}));
  EXPECT_TRUE(arguments->All("output").empty());
}

TEST(Arguments, Words) {
  const auto arguments = ParseArguments({"a", "-fx", "b"}, kFlags, 2);
  ASSERT_TRUE(arguments.ok());
  EXPECT_EQ(arguments->words, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(ParseArguments({"a", "-fx", "b"}, kFlags, 1).status().message(), "unexpected argument `b`");
}

}  // namespace
}  // namespace portico::base
