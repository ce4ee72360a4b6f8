#include "dataplane/source/state_keeper.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "dataplane/source/jobs_for_test.h"
#include "dataplane/source/versions_for_test.h"

namespace portico::source {
namespace {

using base::Concat;
using for_test::JobLoop;
using for_test::LogText;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr crypto::Sealer::Key kKey{1, 2, 3};
const check::ResourceKey kGateway{"Gateway", "default", "g"};

class StateKeeperTest : public testing::Test {
 protected:
  StateKeeperTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    file_.emplace(folder_, kGateway, kKey);
    keeper_ = std::make_unique<StateKeeper>(loop_, *file_, log_.log());
  }
  ~StateKeeperTest() override {
    keeper_.reset();
    std::filesystem::remove_all(folder_);
  }
  static SavedState State(uint64_t revision) {
    return {kGateway, "e", revision, "d", for_test::Parse({"Gateway g@e.1 {listeners: [{name: http, port: 80}]}"})};
  }
  // 0: there is none.
  uint64_t Kept() const {
    const absl::StatusOr<SavedState> state = file_->Read();
    return state.ok() ? state->revision : 0;
  }
  void Pass(base::Duration time) {
    loop_.Pass(time);
    loop_.Turn();
  }
  // After so many tries, whose results are taken.
  void RunUntilKept(uint64_t revision, size_t tries = 1) {
    const size_t tasks = loop_.tasks_run() + tries;
    loop_.RunUntil([&] { return loop_.tasks_run() == tasks; });
    EXPECT_EQ(Kept(), revision);
  }
  // A try has come to something that is told.
  std::string RunUntilLogged() {
    std::string text;
    loop_.RunUntil([&] {
      text += log_.Take();
      return !text.empty();
    });
    return text;
  }
  // Nothing can be written while it is there.
  std::string Obstacle() const { return file_->path() + ".new"; }

  std::string folder_ = testing::TempDir() + "/keeper_XXXXXX";
  std::optional<StateFile> file_;
  JobLoop loop_;
  LogText log_;
  std::unique_ptr<StateKeeper> keeper_;
};

TEST_F(StateKeeperTest, ABurstIsWrittenOnce) {
  keeper_->Start();
  keeper_->Keep(State(1));
  Pass(milliseconds(700));
  keeper_->Keep(State(2));
  EXPECT_EQ(Kept(), 0u);
  loop_.Pass(milliseconds(310));
  RunUntilKept(2);
  EXPECT_EQ(loop_.timers().NextExpiry(), std::nullopt) << "nothing is left to do";
  keeper_->Keep(State(3));
  loop_.Pass(StateKeeper::kSavePause);
  RunUntilKept(3);
  EXPECT_EQ(log_.Take(), "");
}

TEST_F(StateKeeperTest, WhatTakesLongToWriteIsWrittenLessOften) {
  const struct {
    base::Duration taken, pause;
  } kRows[] = {{milliseconds(10), StateKeeper::kSavePause},
               {seconds(1), seconds(StateKeeper::kRest)},
               {seconds(10), StateKeeper::kRestMax}};
  keeper_->Start();
  uint64_t revision = 0;
  for (const auto& row : kRows) {
    keeper_->Keep(State(++revision));
    while (loop_.timers().NextExpiry())
      loop_.Pass(StateKeeper::kSavePause);
    loop_.Pass(row.taken);
    RunUntilKept(revision);
    keeper_->Keep(State(++revision));
    EXPECT_GE(*loop_.timers().NextExpiry(), loop_.Now() + row.pause - milliseconds(1000)) << row.taken.count();
    EXPECT_LE(*loop_.timers().NextExpiry(), loop_.Now() + row.pause + milliseconds(10)) << row.taken.count();
    while (loop_.timers().NextExpiry())
      loop_.Pass(StateKeeper::kSavePause);
    RunUntilKept(revision);
  }
}

TEST_F(StateKeeperTest, WhatFailsIsTriedAgainEverMoreSlowly) {
  keeper_->Start();
  std::filesystem::create_directory(Obstacle());
  log_.log().set_level(observe::Severity::kDebug);
  keeper_->Keep(State(1));
  loop_.Pass(StateKeeper::kSavePause);
  EXPECT_EQ(RunUntilLogged(),
            Concat("error ", Obstacle(),
                   ": cannot be removed: Is a directory; the state is not kept, and is tried again ever "
                   "more slowly\n"));
  // One line; the same again is for whoever looks closely.
  for (base::Duration pause = StateKeeper::kRetryMin; pause < StateKeeper::kRetryMax; pause *= 2) {
    Pass(pause - milliseconds(10));
    EXPECT_EQ(log_.Take(), "") << pause.count();
    loop_.Pass(milliseconds(20));
    EXPECT_TRUE(RunUntilLogged().starts_with("debug ")) << pause.count();
  }
  Pass(StateKeeper::kRetryMax - milliseconds(10));
  EXPECT_EQ(log_.Take(), "") << "no longer than that";
  keeper_->Keep(State(2));  // and does not hasten it
  std::filesystem::remove(Obstacle());
  Pass(milliseconds(5));
  EXPECT_EQ(Kept(), 0u);
  loop_.Pass(milliseconds(10));
  RunUntilKept(2);
  EXPECT_EQ(log_.Take(), Concat("info ", file_->path(), ": the state is kept from now on\ndebug ", file_->path(),
                                ": revision 2 is kept\n"));
}

TEST_F(StateKeeperTest, WithoutTheLockNothingIsWrittenUntilItIsHad) {
  absl::StatusOr<base::FileDescriptor> other = file_->Lock();
  ASSERT_TRUE(other.ok());
  keeper_->Start();
  EXPECT_EQ(log_.Take(), Concat("warning ", folder_, "/default.g.lock: process ", getpid(),
                                " has it; the state is not kept until this process can lock it\n"));
  log_.log().set_level(observe::Severity::kDebug);
  for (int i = 0; i < 3; ++i) {
    if (i == 1) keeper_->Keep(State(1));
    loop_.Pass(StateKeeper::kLockPause);
    EXPECT_TRUE(RunUntilLogged().starts_with("debug ")) << "asked again, every second";
  }
  EXPECT_EQ(Kept(), 0u);
  other->Reset();
  loop_.Pass(StateKeeper::kLockPause);
  RunUntilKept(1);
  EXPECT_EQ(log_.Take(), Concat("info ", file_->path(), ": the state is kept from now on\ndebug ", file_->path(),
                                ": revision 1 is kept\n"));
  EXPECT_FALSE(file_->Lock().ok()) << "it is the keeper's";
}

TEST_F(StateKeeperTest, FinishingWritesAtOnceAndLetsGo) {
  keeper_->Start();
  keeper_->Keep(State(1));
  keeper_->Finish();
  RunUntilKept(1);
  EXPECT_TRUE(file_->Lock().ok());
  keeper_->Keep(State(2));
  Pass(seconds(10));
  EXPECT_EQ(Kept(), 1u) << "the file is somebody else's now";
  EXPECT_EQ(loop_.timers().NextExpiry(), std::nullopt);
}

TEST_F(StateKeeperTest, FinishingWithNothingToWriteLetsGo) {
  keeper_->Start();
  keeper_->Finish();
  EXPECT_TRUE(file_->Lock().ok());
}

// The try that is under way is of an older state.
TEST_F(StateKeeperTest, FinishingDuringATryWritesWhatIsNewer) {
  keeper_->Start();
  keeper_->Keep(State(1));
  loop_.Pass(StateKeeper::kSavePause);  // its result waits
  keeper_->Keep(State(2));
  keeper_->Finish();
  RunUntilKept(2, /*tries=*/2);
  EXPECT_TRUE(file_->Lock().ok());
}

TEST_F(StateKeeperTest, FinishingIsBounded) {
  keeper_->Start();
  std::filesystem::create_directory(Obstacle());
  keeper_->Keep(State(1));
  keeper_->Finish();
  EXPECT_TRUE(RunUntilLogged().starts_with("error "));
  loop_.Turn();
  EXPECT_EQ(loop_.timers().NextExpiry(), std::nullopt) << "once";
  EXPECT_TRUE(file_->Lock().ok()) << "whoever comes next may have more luck";
}

TEST_F(StateKeeperTest, TheEndWritesWhatWaits) {
  const struct {
    std::string_view name;
    void (*before)(StateKeeper&, JobLoop&);
    uint64_t kept;
  } kRows[] = {
      {"nothing", [](StateKeeper&, JobLoop&) {}, 0},
      {"before its time", [](StateKeeper& keeper, JobLoop&) { keeper.Keep(State(1)); }, 1},
      {"being written, or about to be",
       [](StateKeeper& keeper, JobLoop& loop) {
         keeper.Keep(State(2));
         loop.Pass(StateKeeper::kSavePause);
       },
       2},
      {"newer than what is being written",
       [](StateKeeper& keeper, JobLoop& loop) {
         keeper.Keep(State(3));
         loop.Pass(StateKeeper::kSavePause);
         keeper.Keep(State(4));
       },
       4},
      {"finishing",
       [](StateKeeper& keeper, JobLoop&) {
         keeper.Keep(State(5));
         keeper.Finish();
       },
       5},
  };
  for (const auto& row : kRows) {
    std::filesystem::remove(file_->path());
    keeper_ = std::make_unique<StateKeeper>(loop_, *file_, log_.log());
    keeper_->Start();
    row.before(*keeper_, loop_);
    keeper_.reset();
    EXPECT_EQ(Kept(), row.kept) << row.name;
    EXPECT_TRUE(file_->Lock().ok()) << row.name;
  }
}

TEST_F(StateKeeperTest, TheEndWritesNothingWithoutTheLock) {
  const absl::StatusOr<base::FileDescriptor> other = file_->Lock();
  keeper_->Start();
  keeper_->Keep(State(1));
  keeper_.reset();
  EXPECT_EQ(Kept(), 0u);
}

}  // namespace
}  // namespace portico::source
