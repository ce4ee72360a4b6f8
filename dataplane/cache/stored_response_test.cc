#include "dataplane/cache/stored_response.h"

#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/shared/byte_account.h"

namespace portico::cache {
namespace {

using std::chrono::seconds;
using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr ExchangeTimes kTimes{{}, {}, base::WallTime(seconds(784111777))};
constexpr std::string_view kDate = "Sun, 06 Nov 1994 08:49:37 GMT";

std::string Text(const http::Fields& fields) {
  std::string text;
  for (const http::Field& field : fields)
    text += base::Concat(text.empty() ? "" : "; ", field.name, ": ", field.value);
  return text;
}

http::ResponseHead HeadOf(base::Arena& arena, int status, const Lines& lines) {
  http::ResponseHead head(arena);
  head.status = status;
  for (const auto& [name, value] : lines)
    head.fields.Add(name, value);
  return head;
}

std::unique_ptr<StoredResponse> Stored(const Lines& lines) {
  base::Arena arena;
  auto stored = std::make_unique<StoredResponse>(shared::ByteHold(std::make_shared<shared::ByteAccount>(1 << 20)),
                                                 Identity({}, http::RequestHead(arena)));
  ReadHead(HeadOf(arena, 200, lines), http::Fields(arena), kTimes, *stored);
  return stored;
}

// RFC 9111 section 3.1, RFC 9110 section 6.6.1.
TEST(StoredResponseTest, WhatIsStoredOfAHead) {
  const auto stored = Stored({{"age", "7"}, {"content-length", "5"}, {"proxy-authenticate", "x"}, {"x", "1"}});
  EXPECT_EQ(Text(stored->fields), base::Concat("x: 1; date: ", kDate));
  EXPECT_EQ(stored->initial_age, seconds(7));
  EXPECT_EQ(Text(Stored({{"date", "D"}})->fields), "date: D") << "its own";
  EXPECT_GT(stored->bytes(), sizeof(StoredResponse) + stored->arena.bytes());
}

// Sections 3.2 and 4.3.4.
TEST(StoredResponseTest, A304BringsNewerFields) {
  struct Row {
    std::string_view name;
    Lines stored, fresh;
    std::optional<std::string> fields;  // nullopt: it is about another
  };
  const Row rows[] = {
      {"nothing new", {{"x", "1"}, {"date", "D"}}, {}, "x: 1"},
      {"a newer one", {{"x", "1"}, {"date", "D"}}, {{"x", "2"}, {"date", "E"}}, "x: 2; date: E"},
      {"one more", {{"x", "1"}, {"date", "D"}}, {{"y", "2"}, {"age", "3"}}, "x: 1; y: 2; age: 3"},
      {"several lines", {{"x", "1"}, {"x", "2"}, {"date", "D"}}, {{"x", "3"}}, "x: 3"},
      {"what was computed of the content",
       {{"content-encoding", "gzip"}, {"content-md5", "a"}, {"content-digest", "a"}, {"date", "D"}},
       {{"content-encoding", "br"}, {"content-md5", "b"}, {"content-digest", "b"}, {"content-length", "0"}},
       "content-encoding: gzip; content-md5: a; content-digest: a"},
      {"what it is", {{"content-type", "a/b"}, {"date", "D"}}, {{"content-type", "c/d"}}, "content-type: c/d"},
      {"the same tag", {{"etag", "\"a\""}, {"date", "D"}}, {{"etag", "\"a\""}}, "etag: \"a\""},
      {"no tag", {{"etag", "\"a\""}, {"date", "D"}}, {}, "etag: \"a\""},
      {"another tag", {{"etag", "\"a\""}}, {{"etag", "\"b\""}}, std::nullopt},
      {"a tag where there was none", {}, {{"etag", "\"b\""}}, std::nullopt},
      {"another time, and no tag", {{"last-modified", "L"}}, {{"last-modified", "M"}}, std::nullopt},
      {"the same time", {{"last-modified", "L"}, {"date", "D"}}, {{"last-modified", "L"}}, "last-modified: L"},
      {"the same tag counts more than a time",
       {{"etag", "\"a\""}, {"last-modified", "L"}, {"date", "D"}},
       {{"etag", "\"a\""}, {"last-modified", "M"}},
       "etag: \"a\"; last-modified: M"},
      {"a weak one of it", {{"etag", "\"a\""}}, {{"etag", "W/\"a\""}}, std::nullopt},
  };
  for (const Row& row : rows) {
    base::Arena arena;
    const auto head = FreshenedHead(*Stored(row.stored), HeadOf(arena, 304, row.fresh), arena);
    ASSERT_EQ(head.has_value(), row.fields.has_value()) << row.name;
    if (head) EXPECT_EQ(Text(head->fields), *row.fields) << row.name;
  }
}

// RFC 9110 section 15.4.5.
TEST(StoredResponseTest, A304IsSentWithWhatUpdatesAStoredOne) {
  const auto stored = Stored({{"etag", "\"a\""},
                              {"last-modified", "L"},
                              {"content-type", "t"},
                              {"content-language", "l"},
                              {"content-location", "/x"},
                              {"vary", "v"},
                              {"cache-control", "max-age=1"},
                              {"date", "D"}});
  base::Arena arena;
  const ServedHead served = ServeHead(*stored, {PartialAnswer::Kind::kNotModified}, seconds(2), arena);
  EXPECT_EQ(served.head.status, 304);
  EXPECT_TRUE(served.head.framing.ends_with_head);
  EXPECT_EQ(Text(served.head.fields),
            "etag: \"a\"; content-location: /x; vary: v; cache-control: max-age=1; date: D; age: 2");
}

TEST(StoredResponseTest, AgeIsWholeSeconds) {
  const auto stored = Stored({{"date", "D"}});
  base::Arena arena;
  EXPECT_EQ(Text(ServeHead(*stored, {}, std::chrono::milliseconds(1999), arena).head.fields), "date: D; age: 1");
  EXPECT_EQ(Text(ServeHead(*stored, {}, seconds(uint64_t{1} << 40), arena).head.fields), "date: D; age: 2147483648");
  EXPECT_EQ(Text(ServeHead(*stored, {}, std::nullopt, arena).head.fields), "date: D");
}

}  // namespace
}  // namespace portico::cache
