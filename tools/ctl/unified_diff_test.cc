#include "tools/ctl/unified_diff.h"

#include <string>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::ctl {
namespace {

TEST(UnifiedDiff, Hunks) {
  const struct {
    const char* name;
    std::string before, after, diff;
  } kRows[] = {
      {"nothing", "", "", ""},
      {"equal", "a\nb\n", "a\nb\n", ""},
      {"all new", "", "a\nb\n", "@@ -0,0 +1,2 @@\n+a\n+b\n"},
      {"all gone", "a\n", "", "@@ -1 +0,0 @@\n-a\n"},
      {"changed", "a\nb\nc\n", "a\nx\nc\n", "@@ -1,3 +1,3 @@\n a\n-b\n+x\n c\n"},
      {"inserted", "a\nc\n", "a\nb\nc\n", "@@ -1,2 +1,3 @@\n a\n+b\n c\n"},
      {"three of context", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
       "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
      {"two hunks", "a\n1\n2\n3\n4\n5\n6\n7\nb\n", "1\n2\n3\n4\n5\n6\n7\n",
       "@@ -1,4 +1,3 @@\n-a\n 1\n 2\n 3\n@@ -6,4 +5,3 @@\n 5\n 6\n 7\n-b\n"},
      {"hunks that meet are one", "a\n1\n2\n3\n4\n5\n6\nb\n", "1\n2\n3\n4\n5\n6\n",
       "@@ -1,8 +1,6 @@\n-a\n 1\n 2\n 3\n 4\n 5\n 6\n-b\n"},
      {"the fewest", "a\nb\nc\nd\n", "b\nx\nd\n", "@@ -1,4 +1,3 @@\n-a\n b\n-c\n+x\n d\n"},
      {"empty lines", "a\n\n\nb\n", "a\n\nb\n", "@@ -1,4 +1,3 @@\n a\n \n-\n b\n"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(UnifiedDiff(row.before, row.after), row.diff) << row.name;
}

// What is too large for the table is replaced whole, and what is around it stays.
TEST(UnifiedDiff, IsBounded) {
  std::string before = "same\n", after = "same\n";
  for (int i = 0; i < 5000; ++i) {
    before += base::Concat("a", i, "\ncommon\n");
    after += base::Concat("b", i, "\ncommon\n");
  }
  const std::string diff = UnifiedDiff(before, after);
  EXPECT_TRUE(diff.starts_with("@@ -1,10001 +1,10001 @@\n same\n-a0\n-common\n-a1\n"));
}

}  // namespace
}  // namespace portico::ctl
