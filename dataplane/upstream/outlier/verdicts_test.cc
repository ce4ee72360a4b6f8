#include "dataplane/upstream/outlier/verdicts.h"

#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace portico::upstream::outlier {
namespace {

using std::chrono::seconds;

constexpr EjectionRules kRules = {.consecutive_failures = 3, .base_time = seconds(30)};
constexpr base::MonotonicTime kStart{seconds(100)};

// One letter per result: 'f' a failure, 's' a success, '.' ten seconds; who hears that it ejected is 'F'.
TEST(VerdictsTest, SoManyInARowEject) {
  struct Row {
    std::string_view name, happens, heard;
  };
  const Row rows[] = {
      {"three", "fff", "ffF"},
      {"a success between", "ffsff", "ffsff"},
      {"a success begins anew", "ffsfff", "ffsffF"},
      {"what fails meanwhile is the same failure", "ffffff", "ffFfff"},
      {"nor does it count when it is back", "fffff...f", "ffFff...f"},
      {"again, and twice as long", "fff...fff...fff...fff", "ffF...ffF...fff...ffF"},
      {"a success meanwhile does not bring it back", "fffs.fff", "ffFs.fff"},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    Verdicts verdicts;
    const auto verdict = verdicts.Of("127.0.0.1:9001");
    base::MonotonicTime now = kStart;
    std::string heard;
    for (const char one : row.happens) {
      const bool ejects = one == 'f' && verdicts.Failed(*verdict, now, kRules, 4);
      if (one == 's') verdict->Succeeded();
      if (one == '.') now += seconds(10);
      heard += ejects ? 'F' : one;
    }
    EXPECT_EQ(heard, row.heard);
  }
}

TEST(VerdictsTest, NoMoreThanTheShareAtOnce) {
  Verdicts verdicts;
  std::vector<std::shared_ptr<Verdict>> all;
  for (int i = 0; i < 5; ++i)
    all.push_back(verdicts.Of("127.0.0.1:" + std::to_string(9001 + i)));
  const auto fail = [&](size_t which, base::MonotonicTime now) {
    for (int i = 0; i < 3; ++i)
      if (verdicts.Failed(*all[which], now, kRules, all.size())) return true;
    return false;
  };
  EXPECT_TRUE(fail(0, kStart));
  EXPECT_TRUE(fail(1, kStart + seconds(10)));
  EXPECT_FALSE(fail(2, kStart + seconds(20)));
  EXPECT_FALSE(all[2]->Ejected(kStart + seconds(20)));
  EXPECT_TRUE(fail(2, kStart + seconds(30))) << "the first one is back";
  EXPECT_FALSE(all[0]->Ejected(kStart + seconds(30)));
  // One that is gone from the cluster makes room too.
  all[1] = nullptr;
  EXPECT_TRUE(fail(3, kStart + seconds(31)));
}

TEST(VerdictsTest, OneAddressOneVerdictWhileAnybodyHasIt) {
  Verdicts verdicts;
  auto verdict = verdicts.Of("127.0.0.1:9001");
  for (int i = 0; i < 3; ++i)
    verdicts.Failed(*verdict, kStart, kRules, 2);
  EXPECT_TRUE(verdicts.Of("127.0.0.1:9001")->Ejected(kStart));
  EXPECT_FALSE(verdicts.Of("127.0.0.1:9002")->Ejected(kStart));
  verdict = nullptr;
  EXPECT_FALSE(verdicts.Of("127.0.0.1:9001")->Ejected(kStart));
}

// Eight threads that all see failures: each ejection is heard by one of them, and there are never too many.
TEST(VerdictsTest, WorkersAgree) {
  Verdicts verdicts;
  std::vector<std::shared_ptr<Verdict>> all;
  for (int i = 0; i < 10; ++i)
    all.push_back(verdicts.Of("127.0.0.1:" + std::to_string(9001 + i)));
  std::atomic<int> heard = 0;
  {
    std::vector<std::jthread> threads;
    for (size_t thread = 0; thread < 8; ++thread) {
      threads.emplace_back([&, thread] {
        for (size_t i = 0; i < 1000; ++i) {
          Verdict& one = *all[(i + thread) % all.size()];
          if (i % 7 == 0) one.Succeeded();
          if (verdicts.Failed(one, kStart, kRules, all.size())) ++heard;
        }
      });
    }
  }
  int ejected = 0;
  for (const auto& one : all)
    ejected += one->Ejected(kStart) ? 1 : 0;
  EXPECT_EQ(ejected, 5);
  EXPECT_EQ(heard, 5);
}

}  // namespace
}  // namespace portico::upstream::outlier
