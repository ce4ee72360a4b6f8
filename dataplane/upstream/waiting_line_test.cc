#include "dataplane/upstream/waiting_line.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace portico::upstream {
namespace {

struct Named final : Waiter {
  explicit Named(char its_name) : name(its_name) {}
  void OnConnection(Endpoint&, Connection&) override {}
  void OnNoConnection(Endpoint&, const call::Error&) override {}
  void OnRoom() override {}
  const char name;
};

std::string TakeAll(WaitingLine& line) {
  std::string names;
  while (Waiter* waiter = line.TakeFirst())
    names += static_cast<Named*>(waiter)->name;
  EXPECT_TRUE(line.empty());
  return names;
}

TEST(WaitingLine, WhoCameFirstStays) {
  const struct {
    size_t size;
    std::string_view stay, move;
  } kRows[] = {{0, "", "xabcd"}, {1, "a", "xbcd"}, {3, "abc", "xd"}, {4, "abcd", "x"}, {5, "abcd", "x"}};
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.size);
    Named a('a'), b('b'), c('c'), d('d'), x('x');
    WaitingLine line, other;
    for (Named* one : {&a, &b, &c, &d})
      line.Join(*one);
    other.Join(x);
    line.MoveTo(other, row.size);
    EXPECT_EQ(line.size(), row.stay.size());
    EXPECT_EQ(TakeAll(line), row.stay);
    EXPECT_EQ(TakeAll(other), row.move);
  }
}

TEST(WaitingLine, WhoGoesLeavesIt) {
  WaitingLine line;
  Named a('a');
  line.Join(a);
  {
    Named b('b');
    line.Join(b);
  }
  EXPECT_EQ(TakeAll(line), "a");
}

}  // namespace
}  // namespace portico::upstream
