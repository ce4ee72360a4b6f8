#include "controlplane/north/places.h"

#include <map>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

TEST(PlacesTest, AreBoundedInAllAndForEachHolder) {
  struct Row {
    std::string_view name;
    std::string holder;
    bool taken;
    std::string_view leaves = {};  // the call of an earlier row, first
  };
  const Row rows[] = {
      {"a first", "a", true},
      {"a second", "a", true},
      {"more than a quarter", "a", false},
      {"b first", "b", true},
      {"b second", "b", true},
      {"c first", "c", true},
      {"c second", "c", true},
      {"d first", "d", true},
      {"d second", "d", true},
      {"more than all", "e", false},
      {"another's place", "e", true, "b first"},
      {"its own, which is not there any more", "a", false, "refused calls hold nothing"},
      {"its own", "a", true, "a second"},
  };
  Places places(8, "lists");
  std::map<std::string_view, std::shared_ptr<const Places::Place>> taken;
  for (const Row& row : rows) {
    taken.erase(row.leaves);
    std::shared_ptr<const Places::Place> place = places.Take(row.holder);
    EXPECT_EQ(place != nullptr, row.taken) << row.name;
    if (place != nullptr) taken[row.name] = std::move(place);
  }
  EXPECT_EQ(base::ToStd(places.Refusal().message()), "at most 8 lists at a time, 2 of one caller; try again later");
  EXPECT_EQ(places.Refusal().code(), absl::StatusCode::kResourceExhausted);
}

}  // namespace
}  // namespace portico::north
