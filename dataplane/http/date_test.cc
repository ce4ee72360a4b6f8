#include "dataplane/http/date.h"

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace portico::http {
namespace {

TEST(DateTest, WritesImfFixdate) {
  struct Row {
    int64_t seconds;
    std::string_view text;
  };
  const Row rows[] = {{0, "Thu, 01 Jan 1970 00:00:00 GMT"},
                      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  // the example of RFC 9110
                      {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
                      {1735689599, "Tue, 31 Dec 2024 23:59:59 GMT"}};
  base::Arena arena;
  for (const Row& row : rows) {
    const base::WallTime time{std::chrono::seconds(row.seconds)};
    EXPECT_EQ(FormatDate(time, arena), row.text);
    EXPECT_EQ(FormatDate(time + std::chrono::milliseconds(999), arena), row.text);
  }
}

TEST(DateTest, ReadsThreeForms) {
  struct Row {
    std::string_view text;
    std::optional<int64_t> seconds;
  };
  const Row rows[] = {{"Sun, 06 Nov 1994 08:49:37 GMT", 784111777},
                      {"Sunday, 06-Nov-94 08:49:37 GMT", 784111777},
                      {"Sun Nov  6 08:49:37 1994", 784111777},
                      {"Sun Nov 16 08:49:37 1994", 784111777 + 10 * 86400},
                      {"Mon, 06 Nov 1994 08:49:37 GMT", 784111777},  // not its day: nobody's loss
                      {"Thursday, 29-Feb-24 00:00:00 GMT", 1709164800},
                      {"Wednesday, 01-Jan-74 00:00:00 GMT", 3281990400},
                      {"Wednesday, 01-Jan-75 00:00:00 GMT", 157766400},  // 51 years ahead of 2024: gone by
                      {"Thu, 29 Feb 2023 00:00:00 GMT", std::nullopt},
                      {"Sun, 06 Nov 1994 24:00:00 GMT", std::nullopt},
                      {"Sun, 06 Nov 1994 08:49:37 UTC", std::nullopt},
                      {"Sun, 06 Nov 1994 08:49:37", std::nullopt},
                      {"Sun, 06 nov 1994 08:49:37 GMT", std::nullopt},
                      {"Sun, 6 Nov 1994 08:49:37 GMT", std::nullopt},
                      {"Sux, 06 Nov 1994 08:49:37 GMT", std::nullopt},
                      {"Sun, 06 Nov -994 08:49:37 GMT", std::nullopt},
                      {"Sunday, 06-Nov-1994 08:49:37 GMT", std::nullopt},
                      {" Sun, 06 Nov 1994 08:49:37 GMT", std::nullopt},
                      {"0", std::nullopt},
                      {"", std::nullopt}};
  const base::WallTime now{std::chrono::seconds(1735689599)};  // 2024
  for (const Row& row : rows) {
    const std::optional<base::WallTime> time = ParseDate(row.text, now);
    ASSERT_EQ(time.has_value(), row.seconds.has_value()) << row.text;
    if (time) EXPECT_EQ(time->time_since_epoch(), std::chrono::seconds(*row.seconds)) << row.text;
  }
}

}  // namespace
}  // namespace portico::http
