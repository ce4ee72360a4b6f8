#include "dataplane/cache/freshness.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"

namespace portico::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Lines = std::vector<std::pair<std::string, std::string>>;

constexpr base::WallTime kNow{seconds(784111777)};  // Sun, 06 Nov 1994 08:49:37 GMT

http::Fields FieldsOf(base::Arena& arena, const Lines& lines) {
  http::Fields fields(arena);
  for (const auto& [name, value] : lines)
    fields.Add(name, value);
  return fields;
}

// Section 4.2.1.
TEST(FreshnessTest, Lifetime) {
  struct Row {
    std::string_view name;
    Lines lines;
    std::optional<seconds> lifetime;
  };
  const std::string date = "Sun, 06 Nov 1994 08:49:37 GMT", later = "Sun, 06 Nov 1994 08:50:37 GMT";
  const Row rows[] = {
      {"says nothing", {}, std::nullopt},
      {"only directives without time", {{"cache-control", "public"}}, std::nullopt},
      {"a validator is no lifetime", {{"last-modified", date}}, std::nullopt},
      {"max-age", {{"cache-control", "max-age=60"}}, seconds(60)},
      {"s-maxage before max-age", {{"cache-control", "max-age=60, s-maxage=5"}}, seconds(5)},
      {"max-age before expires", {{"cache-control", "max-age=5"}, {"expires", later}, {"date", date}}, seconds(5)},
      {"expires less date", {{"expires", later}, {"date", date}}, seconds(60)},
      {"expires less an older date", {{"expires", date}, {"date", "Sun, 06 Nov 1994 08:49:07 GMT"}}, seconds(30)},
      {"expires without date: since it came", {{"expires", later}}, seconds(60)},
      {"expires in the past", {{"expires", date}, {"date", later}}, seconds(0)},
      {"expires that is no date", {{"expires", "0"}}, seconds(0)},
      {"expires twice", {{"expires", later}, {"expires", later}, {"date", date}}, seconds(0)},
      {"what can't be read", {{"cache-control", "max-age=60 x"}, {"expires", later}}, seconds(0)},
  };
  for (const Row& row : rows) {
    base::Arena arena;
    const http::Fields fields = FieldsOf(arena, row.lines);
    EXPECT_EQ(ExplicitLifetime(fields, ReadCacheControl(fields), kNow), row.lifetime) << row.name;
  }
}

// Section 4.2.3.
TEST(FreshnessTest, InitialAge) {
  struct Row {
    std::string_view name;
    Lines lines;
    base::Duration delay;
    base::Duration age;
  };
  const Row rows[] = {
      {"fresh from the origin", {}, seconds(0), seconds(0)},
      {"the time that it took", {}, milliseconds(1500), milliseconds(1500)},
      {"age and the time that it took", {{"age", "10"}}, seconds(2), seconds(12)},
      {"an old date", {{"date", "Sun, 06 Nov 1994 08:49:07 GMT"}}, seconds(0), seconds(30)},
      {"the greater of both", {{"date", "Sun, 06 Nov 1994 08:49:07 GMT"}, {"age", "40"}}, seconds(0), seconds(40)},
      {"a date to come is now", {{"date", "Sun, 06 Nov 1994 09:49:07 GMT"}}, seconds(0), seconds(0)},
      {"a date that is none is now", {{"date", "yesterday"}}, seconds(0), seconds(0)},
      {"two dates: as old as can be",
       {{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}, {"date", "Sun, 06 Nov 1994 08:49:37 GMT"}},
       seconds(0),
       kDeltaMax},
      {"a list", {{"age", "10, 20"}}, seconds(0), kDeltaMax},
      {"a list of the same", {{"age", "0, 0"}}, seconds(0), kDeltaMax},
      {"several lines", {{"age", "10"}, {"age", "10"}}, seconds(0), kDeltaMax},
      {"an age that is none: as old as can be", {{"age", "young"}}, seconds(0), kDeltaMax},
      {"a negative age", {{"age", "-1"}}, seconds(0), kDeltaMax},
  };
  for (const Row& row : rows) {
    base::Arena arena;
    const base::MonotonicTime asked{seconds(100)};
    EXPECT_EQ(InitialAge(FieldsOf(arena, row.lines), {asked, asked + row.delay, kNow}), row.age) << row.name;
  }
}

TEST(FreshnessTest, AgeGrows) {
  const base::MonotonicTime answered{seconds(100)};
  EXPECT_EQ(CurrentAge(seconds(7), answered, answered), seconds(7));
  EXPECT_EQ(CurrentAge(seconds(7), answered, answered + seconds(3)), seconds(10));
  EXPECT_EQ(CurrentAge(seconds(7), answered, answered - seconds(3)), seconds(7)) << "in a turn that began before";
}

}  // namespace
}  // namespace portico::cache
