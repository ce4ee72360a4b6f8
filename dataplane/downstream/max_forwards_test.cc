#include "dataplane/downstream/max_forwards.h"

#include <gtest/gtest.h>

#include <string_view>

#include "api/base/arena.h"

namespace portico::downstream {
namespace {

TEST(MaxForwardsTest, EndsHereAtNought) {
  struct Row {
    std::string_view name, method, path, sent;
    bool ours;
    std::string_view left;
  };
  const Row rows[] = {
      {"asterisk", "OPTIONS", "*", "", true, "(none)"},
      {"none", "OPTIONS", "/", "", false, "(none)"},
      {"nought", "OPTIONS", "/", "0", true, "0"},
      {"one", "OPTIONS", "/", "1", false, "0"},
      {"zeros before", "TRACE", "/", "010", false, "9"},
      {"trace", "TRACE", "/", "0", true, "0"},
      {"other methods", "GET", "/", "0", false, "0"},
      {"no number", "OPTIONS", "/", "-1", false, "-1"},
      {"no digit", "OPTIONS", "/", "1x", false, "1x"},
      {"the largest that we count", "OPTIONS", "/", "18446744073709551615", false, "18446744073709551614"},
      {"larger than we count", "OPTIONS", "/", "99999999999999999999", false, "18446744073709551614"},
      {"a list", "OPTIONS", "/", "0, 0", false, "0, 0"},
  };
  for (const Row& row : rows) {
    base::Arena arena;
    http::RequestHead head(arena);
    head.method = row.method;
    head.path = row.path;
    if (!row.sent.empty()) head.fields.Add("max-forwards", row.sent);
    EXPECT_EQ(MeansThisProxy(head), row.ours) << row.name;
    DecrementMaxForwards(head);
    EXPECT_EQ(head.fields.Combined("max-forwards").value_or("(none)"), row.left) << row.name;
  }
}

}  // namespace
}  // namespace portico::downstream
