#include "dataplane/cache/conditional.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"

namespace portico::cache {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr base::WallTime kNow{std::chrono::seconds(784111777)};
constexpr std::string_view kModified = "Sun, 06 Nov 1994 08:00:00 GMT";
constexpr std::string_view kBefore = "Sun, 06 Nov 1994 07:59:59 GMT";
constexpr std::string_view kAfter = "Sun, 06 Nov 1994 08:00:01 GMT";

http::Fields FieldsOf(base::Arena& arena, const Lines& lines) {
  http::Fields fields(arena);
  for (const auto& [name, value] : lines)
    fields.Add(name, value);
  return fields;
}

// "whole", "304", "416", "206 10+20"
std::string Choose(const Lines& request, const Lines& stored, int status = 200, uint64_t length = 100) {
  base::Arena arena;
  const PartialAnswer answer = ChoosePart(FieldsOf(arena, request), status, FieldsOf(arena, stored), length, kNow);
  switch (answer.kind) {
    case PartialAnswer::Kind::kWhole:
      return "whole";
    case PartialAnswer::Kind::kNotModified:
      return "304";
    case PartialAnswer::Kind::kNotSatisfiable:
      return "416";
    case PartialAnswer::Kind::kPart:
      return base::Concat("206 ", answer.offset, "+", answer.length);
  }
  return "";
}

// RFC 9110 sections 13.1.2, 13.1.3 and 13.2.2.
TEST(ConditionalTest, NotModified) {
  struct Row {
    std::string_view name;
    Lines request;
    std::string_view answer;
  };
  const Lines stored = {{"etag", "\"a\""}, {"last-modified", std::string(kModified)}};
  const Row rows[] = {
      {"no condition", {}, "whole"},
      {"the tag", {{"if-none-match", "\"a\""}}, "304"},
      {"a weak one", {{"if-none-match", "W/\"a\""}}, "304"},
      {"another", {{"if-none-match", "\"b\""}}, "whole"},
      {"a list with it", {{"if-none-match", "\"b\" , ,W/\"a\""}}, "304"},
      {"a tag with a comma", {{"if-none-match", "\"b,\", \"a\""}}, "304"},
      {"inside another tag", {{"if-none-match", "\"b\\\"a\\\"\""}}, "whole"},
      {"several lines", {{"if-none-match", "\"b\""}, {"if-none-match", "\"a\""}}, "304"},
      {"any", {{"if-none-match", "*"}}, "304"},
      {"a tag without quotes", {{"if-none-match", "a"}}, "whole"},
      {"a list that can't be read", {{"if-none-match", "\"a\", b"}}, "whole"},
      {"no comma between", {{"if-none-match", "\"b\" \"a\""}}, "whole"},
      {"an open quote", {{"if-none-match", "\"a"}}, "whole"},
      {"since then", {{"if-modified-since", std::string(kModified)}}, "304"},
      {"since later", {{"if-modified-since", std::string(kAfter)}}, "304"},
      {"since before", {{"if-modified-since", std::string(kBefore)}}, "whole"},
      {"since no date", {{"if-modified-since", "today"}}, "whole"},
      {"tags before dates", {{"if-none-match", "\"b\""}, {"if-modified-since", std::string(kAfter)}}, "whole"},
      {"a condition before a range", {{"if-none-match", "\"a\""}, {"range", "bytes=0-1"}}, "304"},
      {"and then the range", {{"if-none-match", "\"b\""}, {"range", "bytes=0-1"}}, "206 0+2"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Choose(row.request, stored), row.answer) << row.name;
  EXPECT_EQ(Choose({{"if-none-match", "\"a\""}}, stored, 404), "whole") << "of a 200 alone";
  EXPECT_EQ(Choose({{"if-none-match", "\"\""}}, {}), "whole") << "nothing stored to compare with";
  EXPECT_EQ(Choose({{"if-modified-since", std::string(kAfter)}}, {}), "whole");
  EXPECT_EQ(Choose({{"if-none-match", "\"a\""}}, {{"etag", "\"b\""}, {"etag", "\"a\""}}), "whole") << "two tags";
}

// Section 14.
TEST(ConditionalTest, Ranges) {
  const std::pair<std::string_view, std::string_view> rows[] = {{"bytes=0-0", "206 0+1"},
                                                                {"bytes=10-29", "206 10+20"},
                                                                {"Bytes=10-29", "206 10+20"},
                                                                {"bytes=10-", "206 10+90"},
                                                                {"bytes=-10", "206 90+10"},
                                                                {"bytes=-1000", "206 0+100"},
                                                                {"bytes=99-", "206 99+1"},
                                                                {"bytes=50-1000", "206 50+50"},
                                                                {"bytes= 0-1", "206 0+2"},
                                                                {"bytes=100-", "416"},
                                                                {"bytes=100-200", "416"},
                                                                {"bytes=-0", "416"},
                                                                {"bytes=5-4", "whole"},
                                                                {"bytes=0-1,5-6", "whole"},
                                                                {"bytes=-", "whole"},
                                                                {"bytes=", "whole"},
                                                                {"bytes", "whole"},
                                                                {"lines=0-1", "whole"},
                                                                {"bytes=a-b", "whole"},
                                                                {"bytes=+1-2", "whole"},
                                                                {"bytes=0 - 1", "whole"},
                                                                {"bytes=1-2-3", "whole"},
                                                                {"bytes=0-18446744073709551616", "whole"},
                                                                {"bytes=0-18446744073709551615", "206 0+100"}};
  for (const auto& [range, answer] : rows)
    EXPECT_EQ(Choose({{"range", std::string(range)}}, {}), answer) << range;
  EXPECT_EQ(Choose({{"range", "bytes=0-0"}}, {}, 200, 0), "416") << "no content";
  EXPECT_EQ(Choose({{"range", "bytes=-5"}}, {}, 200, 0), "416") << "no content";
  EXPECT_EQ(Choose({{"range", "bytes=0-0"}}, {}, 404), "whole") << "of a 200 alone";
  EXPECT_EQ(Choose({{"range", "bytes=0-0"}, {"range", "bytes=1-1"}}, {}), "whole") << "two fields";
}

// Section 13.1.5.
TEST(ConditionalTest, IfRange) {
  struct Row {
    std::string_view name;
    std::string condition;
    Lines stored;
    std::string_view answer;
  };
  const std::string modified(kModified);
  const Row rows[] = {
      {"the tag", "\"a\"", {{"etag", "\"a\""}}, "206 0+1"},
      {"another", "\"b\"", {{"etag", "\"a\""}}, "whole"},
      {"a weak one is not enough", "W/\"a\"", {{"etag", "W/\"a\""}}, "whole"},
      {"no tag stored", "\"a\"", {}, "whole"},
      {"the date, strong",
       modified,
       {{"last-modified", modified}, {"date", "Sun, 06 Nov 1994 08:01:00 GMT"}},
       "206 0+1"},
      {"the date, too near",
       modified,
       {{"last-modified", modified}, {"date", "Sun, 06 Nov 1994 08:00:59 GMT"}},
       "whole"},
      {"a later date",
       std::string(kAfter),
       {{"last-modified", modified}, {"date", "Sun, 06 Nov 1994 09:00:00 GMT"}},
       "whole"},
      {"no date stored", modified, {}, "whole"},
      {"neither tag nor date", "a", {{"etag", "a"}}, "whole"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Choose({{"range", "bytes=0-0"}, {"if-range", row.condition}}, row.stored), row.answer) << row.name;
}

TEST(ConditionalTest, WhatIsTheOriginsToSay) {
  struct Row {
    Lines request;
    bool for_origin, for_less;
  };
  const Row rows[] = {{{}, false, false},
                      {{{"if-match", "*"}}, true, false},
                      {{{"if-unmodified-since", "x"}}, true, false},
                      {{{"if-none-match", "*"}}, false, true},
                      {{{"if-modified-since", "x"}}, false, true},
                      {{{"range", "x"}}, false, true},
                      {{{"if-range", "x"}}, false, true}};
  for (const Row& row : rows) {
    base::Arena arena;
    const http::Fields request = FieldsOf(arena, row.request);
    EXPECT_EQ(HasPreconditionForOrigin(request), row.for_origin) << row.request.size();
    EXPECT_EQ(AsksForLess(request), row.for_less) << row.request.size();
  }
}

}  // namespace
}  // namespace portico::cache
