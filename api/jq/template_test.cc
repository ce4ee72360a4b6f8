#include "api/jq/template.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::jq {
namespace {

using base::Json;

constexpr char kValue[] = R"({
  "text": "plain-1._~", "slash": "a/b", "space": "a b?c&d=e#f%", "utf8": "é", "empty": "", "dot": ".", "dots": "..",
  "number": 1.50, "true": true, "null": null, "list": ["x", {"y": "z"}], "object": {}, "x-id": "h",
  "newline": "a\r\nb: c", "nul": "a\u0000b", "delete": "a\u007f", "tab": "a\tb", "long": "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"})";

std::string Expand(std::string_view text, TemplatePlace place, size_t bytes_max = 100) {
  base::Arena arena;
  const auto parsed = Template::Parse(text);
  if (!parsed.ok()) return std::string(base::ToStd(parsed.status().message()));
  const Binding bindings[] = {{"v", *base::ParseJson(kValue, arena)}, {"each", Json::String("item")}};
  const auto result = parsed->Expand(bindings, place, bytes_max);
  return result.ok() ? *result : "error: " + std::string(base::ToStd(result.status().message()));
}

struct ExpandRow {
  const char* text;
  TemplatePlace place;
  const char* result;
};

TEST(Template, Expands) {
  const auto path = TemplatePlace::kPath;
  const auto query = TemplatePlace::kQueryValue;
  const auto header = TemplatePlace::kHeaderValue;
  const ExpandRow rows[] = {
      {"", path, ""},
      {"/a/b", path, "/a/b"},
      {"/a/${each}/b", path, "/a/item/b"},
      {"${each}${each}", header, "itemitem"},
      {"/${v.text}", path, "/plain-1._~"},
      {"/${v.slash}", path, "/a%2Fb"},
      {"/${v.space}", path, "/a%20b%3Fc%26d%3De%23f%25"},
      {"/${v.utf8}", path, "/%C3%A9"},
      {"/${v.number}/${v.true}", path, "/1.50/true"},
      {"/${v.list[0]}/${v.list[1].y}", path, "/x/z"},
      {"/${v.x-id}", path, "/h"},
      {"/${v.newline}", path, "/a%0D%0Ab%3A%20c"},
      {"/a${v.dot}", path, "/a."},
      {"/${v.dot}x?${v.dot}", path, "error: ${v.dot} makes a path segment `.` or `..`"},
      {"/${v.empty}", path, "error: ${v.empty} is empty"},
      {"/${v.dot}", path, "error: ${v.dot} makes a path segment `.` or `..`"},
      {"/${v.dots}/a", path, "error: ${v.dots} makes a path segment `.` or `..`"},
      {"/.${v.dot}/a", path, "error: ${v.dot} makes a path segment `.` or `..`"},
      {"/${v.dot}${v.dot}", path, "error: ${v.dot} makes a path segment `.` or `..`"},
      {"/${v.null}", path, "error: ${v.null} is null"},
      {"/${v.nothing}", path, "error: ${v.nothing} is missing"},
      {"/${v.text.deeper}", path, "error: ${v.text.deeper} is missing"},
      {"/${v.list[2]}", path, "error: ${v.list[2]} is missing"},
      {"/${v.object[0]}", path, "error: ${v.object[0]} is missing"},
      {"/${unknown}", path, "error: ${unknown} is missing"},
      {"/${v.list}", path, "error: ${v.list} is no string, number or boolean"},
      {"/${v.object}", path, "error: ${v.object} is no string, number or boolean"},
      {"${v.space}", query, "a%20b%3Fc%26d%3De%23f%25"},
      {"${v.dots}", query, ".."},
      {"${v.empty}", query, "error: ${v.empty} is empty"},
      {"<${v.empty}>", header, "<>"},
      {"${v.slash} ${v.space}", header, "a/b a b?c&d=e#f%"},
      {"${v.newline}", header, "error: ${v.newline} holds a control character"},
      {"${v.nul}", header, "error: ${v.nul} holds a control character"},
      {"${v.delete}", header, "error: ${v.delete} holds a control character"},
      {"${v.tab}", header, "error: ${v.tab} holds a control character"},
      {"$${each} $ $$ {each} $x ${each}$", header, "${each} $ $$ {each} $x item$"},
      {"$$${each}", header, "$${each}"},
      {"${v.long}${v.long}${v.long}${v.long}", header, "error: the expanded text is longer than 100 bytes"},
  };
  for (const ExpandRow& row : rows)
    EXPECT_EQ(Expand(row.text, row.place), row.result) << row.text;
}

struct RefusalRow {
  const char* text;
  const char* error;
};

TEST(Template, Refuses) {
  const RefusalRow rows[] = {
      {"/a/${", "column 4: `${` without its `}`"},
      {"${each", "column 1: `${` without its `}`"},
      {"${}", "column 3: expected a variable's name after `${`"},
      {"${.a}", "column 3: expected a variable's name after `${`"},
      {"${1a}", "column 3: expected a variable's name after `${`"},
      {"${a.}", "column 4: expected a key after `.`"},
      {"${a..b}", "column 4: expected a key after `.`"},
      {"${a b}", "column 4: only `.key` and `[number]` may follow"},
      {"${a | b}", "column 4: only `.key` and `[number]` may follow"},
      {"${a-b}", "column 4: only `.key` and `[number]` may follow"},
      {"${a[}", "column 4: only `.key` and `[number]` may follow"},
      {"${a[]}", "column 4: expected a number in `[]`"},
      {"${a[-1]}", "column 4: expected a number in `[]`"},
      {"${a[99999999999999999999]}", "column 4: expected a number in `[]`"},
      {"${a${b}}", "column 4: only `.key` and `[number]` may follow"},
  };
  for (const RefusalRow& row : rows) {
    const std::string error = Expand(row.text, TemplatePlace::kHeaderValue);
    EXPECT_TRUE(error.starts_with(row.error)) << row.text << ": " << error;
  }
  std::string many;
  for (size_t i = 0; i <= kTemplateExpansionsMax; ++i)
    many += "${each}";
  EXPECT_FALSE(Template::Parse(many).ok());
  EXPECT_TRUE(Template::Parse(many.substr(7)).ok());
  EXPECT_FALSE(Template::Parse(std::string(kTemplateBytesMax + 1, 'a')).ok());
}

TEST(Template, TellsItsVariables) {
  const auto parsed = Template::Parse("${b.x}${a}${b.y}$${c}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->variables(), (std::vector<std::string>{"b", "a"}));
}

TEST(Template, EveryBeginningAndEndIsHarmless) {
  const std::string text = "/a/${v.list[1].y}/$${b}/${each}?q=${v.x-id}";
  for (size_t length = 0; length <= text.size(); ++length) {
    (void)Expand(text.substr(0, length), TemplatePlace::kPath);
    (void)Expand(text.substr(length), TemplatePlace::kPath);
  }
}

}  // namespace
}  // namespace portico::jq
