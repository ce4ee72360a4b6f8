#include "dataplane/http/date.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace portico::http
