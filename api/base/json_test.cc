#include "api/base/json.h"

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "gtest/gtest.h"

namespace portico::base {
namespace {

std::string RoundTrip(std::string_view text, const JsonParseOptions& options = {}) {
  Arena arena;
  const auto value = ParseJson(text, arena, options);
  return value.ok() ? *PrintJson(*value, 1 << 20) : std::string(ToStd(value.status().message()));
}

struct Row {
  const char* name;
  std::string text;
  std::string result;
};

TEST(Json, ReadsAndPrints) {
  const Row rows[] = {
      {"null", "null", "null"},
      {"white space", " \t\r\n[ 1 , true , false ]\n", "[1,true,false]"},
      {"numbers as written", "[1.10,1e2,-0.0,1E+2,100000000000000000001]",
       "[1.10,1e2,-0.0,1E+2,100000000000000000001]"},
      {"escapes", R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")", "\"\\\"\\\\/\\b\\f\\n\\r\\tAé€😀\""},
      {"control characters", R"("\u0000\u001f\u007f\u000b")", R"("\u0000\u001f\u007f\u000b")"},
      {"empty", "[[],{},\"\"]", "[[],{},\"\"]"},
      {"order of members", R"({"b":1,"a":2})", R"({"b":1,"a":2})"},
      {"the later duplicate counts", R"({"a":1,"b":2,"a":3})", R"({"a":3,"b":2})"},
      {"and in a large object", R"({"j":0,"i":1,"h":2,"g":3,"f":4,"e":5,"d":6,"c":7,"b":8,"a":9,"j":10,"c":11})",
       R"({"j":10,"i":1,"h":2,"g":3,"f":4,"e":5,"d":6,"c":11,"b":8,"a":9})"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(RoundTrip(row.text), row.result) << row.name;
}

TEST(Json, Refuses) {
  const Row rows[] = {
      {"nothing", "", "JSON: a value is missing at byte 0"},
      {"space alone", "  ", "JSON: a value is missing at byte 2"},
      {"two values", "1 2", "JSON: text after the value at byte 2"},
      {"trailing comma", "[1,]", "JSON: not a JSON value at byte 3"},
      {"trailing comma in an object", "{\"a\":1,}", "JSON: expected a member's name at byte 7"},
      {"open array", "[1", "JSON: expected `,` or `]` at byte 2"},
      {"open object", "{\"a\":1", "JSON: expected `,` or `}` at byte 6"},
      {"no colon", "{\"a\" 1}", "JSON: expected `:` at byte 5"},
      {"name without quotes", "{a:1}", "JSON: expected a member's name at byte 1"},
      {"single quotes", "'a'", "JSON: not a JSON value at byte 0"},
      {"leading zero", "01", "JSON: a number with a leading zero at byte 1"},
      {"plus", "+1", "JSON: not a JSON value at byte 0"},
      {"no digit before the point", ".5", "JSON: not a JSON value at byte 0"},
      {"no digit after the point", "5.", "JSON: expected a digit at byte 2"},
      {"no exponent", "1e", "JSON: expected a digit at byte 2"},
      {"minus alone", "-", "JSON: not a JSON value at byte 1"},
      {"hexadecimal", "0x10", "JSON: text after the value at byte 1"},
      {"NaN", "NaN", "JSON: not a JSON value at byte 0"},
      {"word too long", "nulls", "JSON: text after the value at byte 4"},
      {"word too short", "tru", "JSON: not a JSON value at byte 0"},
      {"comment", "1 // one", "JSON: text after the value at byte 2"},
      {"byte order mark",
       "\xEF\xBB\xBF"
       "1",
       "JSON: not a JSON value at byte 0"},
      {"NUL after the value", std::string("1\0", 2), "JSON: text after the value at byte 1"},
      {"control character", "\"a\nb\"", "JSON: a control character in a string at byte 2"},
      {"control character after an escape", "\"\\n\nb\"", "JSON: a control character in a string at byte 3"},
      {"unknown escape", R"("\x")", "JSON: an unknown escape at byte 2"},
      {"short escape", R"("\u12")", "JSON: an unknown escape at byte 3"},
      {"open string", "\"a", "JSON: a string without its end at byte 2"},
      {"open escape", "\"\\", "JSON: an unknown escape at byte 2"},
      {"overlong", "\"\xC0\x80\"", "JSON: not UTF-8 at byte 1"},
      {"surrogate in UTF-8", "\"\xED\xA0\x80\"", "JSON: not UTF-8 at byte 1"},
      {"above U+10FFFF", "\"\xF4\x90\x80\x80\"", "JSON: not UTF-8 at byte 1"},
      {"cut character", "\"\xE2\x82\"", "JSON: not UTF-8 at byte 1"},
      {"not UTF-8 after an escape", "\"\\n\xFF\"", "JSON: not UTF-8 at byte 3"},
      {"high surrogate alone", R"("\ud800")", "JSON: half a surrogate pair at byte 7"},
      {"low surrogate alone", R"("\udc00a")", "JSON: half a surrogate pair at byte 7"},
      {"two high surrogates", R"("\ud800\ud800")", "JSON: half a surrogate pair at byte 7"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(RoundTrip(row.text), row.result) << row.name;
}

TEST(Json, SwitchesInBothPositions) {
  JsonParseOptions options;
  options.refuse_duplicate_names = true;
  EXPECT_EQ(RoundTrip(R"({"a":1,"b":{"a":2}})", options), R"({"a":1,"b":{"a":2}})");
  EXPECT_EQ(RoundTrip(R"({"a":1,"\u0061":2})", options),
            "JSON: an object with two members of one name ends at byte 18");
  options = {};
  options.replace_lone_surrogates = true;
  EXPECT_EQ(RoundTrip(R"("\ud800x\udc00\ud800\ud83d\ude00")", options), "\"\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD😀\"");
}

TEST(Json, Limits) {
  JsonParseOptions options;
  options.depth_max = 3;
  EXPECT_EQ(RoundTrip("[[{}]]", options), "[[{}]]");
  EXPECT_EQ(RoundTrip("[[[[]]]]", options), "JSON: more than 3 levels");
  EXPECT_EQ(RoundTrip(R"({"a":[{"b":{}}]})", options), "JSON: more than 3 levels");
  options = {};
  options.bytes_max = 4;
  EXPECT_EQ(RoundTrip("1234", options), "1234");
  EXPECT_EQ(RoundTrip("12345", options), "JSON: more than 4 bytes");
  options = {};
  options.values_max = 3;
  EXPECT_EQ(RoundTrip("[1,2]", options), "[1,2]");
  EXPECT_EQ(RoundTrip("[1,2,3]", options), "JSON: more than 3 values");
  options = {};
  options.depth_max = 1'000'000;
  EXPECT_EQ(RoundTrip(std::string(1'000'000, '['), options), "JSON: more than 1000 levels");
  EXPECT_EQ(RoundTrip(std::string(1000, '[') + std::string(1000, ']'), options).size(), 2000u);
}

// Whatever is cut off, the rest is refused and nothing is read beyond it.
TEST(Json, EveryBeginningIsRefused) {
  const std::string text = R"({"a":[1,-0.5e+3,"\u00e9\ud83d\ude00é",true,false,null,{}],"b":{"c":[[]]}})";
  for (size_t length = 0; length < text.size(); ++length) {
    const std::string cut(text.data(), length);
    Arena arena;
    EXPECT_FALSE(ParseJson(cut, arena).ok()) << cut;
  }
}

TEST(Json, FindsMembers) {
  Arena arena;
  std::string text = "{";
  for (int i = 0; i < 100; ++i)
    text += Concat(i == 0 ? "" : ",", "\"k", (i * 37) % 100, "\":", i);
  const auto large = ParseJson(text + "}", arena);
  ASSERT_TRUE(large.ok());
  for (int i = 0; i < 100; ++i) {
    const Json* value = large->Find(Concat("k", (i * 37) % 100));
    ASSERT_NE(value, nullptr);
    EXPECT_EQ(value->number(), i);
  }
  EXPECT_EQ(large->Find("k100"), nullptr);
  EXPECT_EQ(large->Find(""), nullptr);
  EXPECT_EQ(Json::String("k1").Find("k1"), nullptr);
  std::array<uint32_t, 8> scratch;
  const auto small = ParseJson(R"({"b":1,"c":2,"a":3})", arena);
  const std::span<const uint32_t> order = small->NameOrder(scratch);
  EXPECT_EQ(std::vector<uint32_t>(order.begin(), order.end()), (std::vector<uint32_t>{2, 0, 1}));
}

TEST(Json, PrintsComputedNumbersAsJqDoes) {
  const std::pair<double, const char*> rows[] = {
      {0, "0"},
      {-0.0, "-0"},
      {1, "1"},
      {-1.5, "-1.5"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e15, "1000000000000000"},
      {1e16, "1e+16"},
      {0.0001, "0.0001"},
      {0.00001, "1e-05"},
      {1.5e-7, "1.5e-07"},
      {1e300, "1e+300"},
      {123456789012345680, "123456789012345680"},
      {std::nan(""), "null"},
      {HUGE_VAL, "1.7976931348623157e+308"},
      {-HUGE_VAL, "-1.7976931348623157e+308"},
  };
  for (const auto& [number, text] : rows)
    EXPECT_EQ(*PrintJson(Json::Number(number), 100), text);
  EXPECT_EQ(JsonNumberValue("1e400"), HUGE_VAL);
  EXPECT_EQ(JsonNumberValue("-1e400"), -HUGE_VAL);
  EXPECT_EQ(JsonNumberValue("1e-400"), 0);
}

TEST(Json, OutputIsBounded) {
  Arena arena;
  // Prints as 2^40 bytes.
  Json value = Json::String("a");
  for (int i = 0; i < 40; ++i) {
    const Json both[] = {value, value};
    value = Json::Array(arena, both);
  }
  EXPECT_EQ(PrintJson(value, 1000).status().code(), absl::StatusCode::kResourceExhausted);
  std::string out = "x";
  EXPECT_FALSE(AppendJson(out, value, 10));
  EXPECT_EQ(out.size(), 10u);
  EXPECT_EQ(*PrintJson(Json::String("abc"), 5), "\"abc\"");
  EXPECT_FALSE(PrintJson(Json::String("abc"), 4).ok());
}

TEST(Json, EscapesTextFromAnywhere) {
  std::string out;
  AppendJsonString(out, std::string_view("a\"\\\n\x01\x7F\xC3\xA9\xFF\xE2\x82\0", 12));
  EXPECT_EQ(out, "\"a\\\"\\\\\\n\\u0001\\u007fé\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\u0000\"");
}

TEST(Utf8Test, APrefixIsCutBetweenCharacters) {
  const struct {
    std::string_view text;
    size_t bytes_max;
    std::string_view prefix;
  } rows[] = {{"aé€😀", 100, "aé€😀"}, {"aé€😀", 9, "aé€"}, {"aé€😀", 6, "aé€"}, {"aé€😀", 5, "aé"},
              {"aé€😀", 2, "a"},       {"aé€😀", 0, ""},    {"", 5, ""},         {"a\xC3z\x80", 9, "a?z?"}};
  for (const auto& row : rows) {
    EXPECT_EQ(Utf8Prefix(row.text, row.bytes_max), row.prefix) << row.text << " in " << row.bytes_max;
  }
}

TEST(Utf8, KnowsItself) {
  EXPECT_TRUE(IsUtf8("aé€😀"));
  EXPECT_FALSE(IsUtf8("\x80"));
  EXPECT_FALSE(IsUtf8("\xC3"));
  EXPECT_EQ(Utf8Length("aé€😀"), 4u);
  for (uint32_t point = 0; point <= 0x10FFFF; point += 7) {
    if (point >= 0xD800 && point < 0xE000) continue;
    std::string text;
    AppendUtf8(text, point);
    ASSERT_EQ(Utf8CharacterBytes(text), text.size()) << point;
  }
}

}  // namespace
}  // namespace portico::base
