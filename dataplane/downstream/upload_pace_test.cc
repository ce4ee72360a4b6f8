#include "dataplane/downstream/upload_pace.h"

#include <gtest/gtest.h>

#include <string_view>
#include <vector>

namespace portico::downstream {
namespace {

using std::chrono::seconds;

// Looks at windows of 30 s that want 7200 bytes.
TEST(UploadPaceTest, Table) {
  struct Look {
    int second;
    uint64_t content_bytes;  // so far
    bool held_back;
    bool too_slow;
    int next;  // the end of the window after it
  };
  struct Row {
    std::string_view name;
    std::vector<Look> looks;
  };
  const Row rows[] = {
      {"enough, and again", {{30, 7200, false, false, 60}, {60, 14400, false, false, 90}}},
      {"too little, and nothing more", {{30, 7199, false, false, 31}, {31, 7199, false, true, 61}}},
      {"what the second look finds counts", {{30, 0, false, false, 31}, {31, 7200, false, false, 61}}},
      {"held up for minutes", {{300, 0, false, false, 301}, {301, 50'000, false, false, 331}}},
      {"we did not take it", {{30, 0, true, false, 60}, {60, 0, false, false, 61}, {61, 0, false, true, 91}}},
      {"we did not take it at the second look", {{30, 0, false, false, 31}, {31, 0, true, false, 61}}},
      {"fast, then nothing",
       {{30, 99'999, false, false, 60}, {60, 99'999, false, false, 61}, {61, 99'999, false, true, 91}}},
  };
  for (const Row& row : rows) {
    const base::MonotonicTime begin{};
    UploadPace pace(http::Limits(), begin, 0);
    EXPECT_EQ(pace.window_end(), begin + seconds(30)) << row.name;
    for (const Look& look : row.looks) {
      EXPECT_EQ(pace.EndWindow(begin + seconds(look.second), look.content_bytes, look.held_back), look.too_slow)
          << row.name << look.second;
      EXPECT_EQ(pace.window_end(), begin + seconds(look.next)) << row.name << look.second;
    }
  }
}

}  // namespace
}  // namespace portico::downstream
