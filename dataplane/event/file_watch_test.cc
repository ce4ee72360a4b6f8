#include "dataplane/event/file_watch.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"

namespace portico::event {
namespace {

namespace fs = std::filesystem;

struct Counter : FileWatch::Handler {
  void OnFilesChanged() override {
    ++count;
    if (then) then();
  }
  int count = 0;
  std::function<void()> then;
};

class FileWatchTest : public testing::Test, private Timer::Handler {
 protected:
  FileWatchTest() : folder_(fs::path(testing::TempDir()) / "file_watch_test") {
    fs::remove_all(folder_);
    fs::create_directories(folder_);
  }
  ~FileWatchTest() override { fs::remove_all(folder_); }

  static void Write(const fs::path& path, std::string_view text = "x") { std::ofstream(path) << text; }
  std::unique_ptr<FileWatch> Watch(const fs::path& path) {
    auto watch = FileWatch::Start(loop_, path.string(), counter_);
    EXPECT_TRUE(watch.ok()) << watch.status();
    return *std::move(watch);
  }
  // Lets the loop run for longer than a change may take to be told.
  void Settle() {
    Timer timer(loop_.timers(), *this);
    timer.Set(loop_.Now() + 3 * FileWatch::kQuiet);
    settled_ = false;
    while (!settled_)
      loop_.Turn(true);
  }
  void OnTimer(Timer&) override { settled_ = true; }

  LibeventLoop loop_;
  Counter counter_;
  const fs::path folder_;
  bool settled_ = false;
};

// Prepares a tree, watches a path in it, does something, and counts what was told.
TEST_F(FileWatchTest, Changes) {
  const struct {
    const char* name;
    std::function<void(const fs::path&)> prepare;
    const char* watched;
    std::function<void(const fs::path&)> act;
    int told;
  } rows[] = {
      {"nothing happens", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml", [](auto&) {}, 0},
      {"written in place", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml",
       [](auto& at) { Write(at / "a.yaml", "y"); }, 1},
      {"renamed over", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml",
       [](auto& at) {
         Write(at / "a.yaml.new");
         fs::rename(at / "a.yaml.new", at / "a.yaml");
       },
       1},
      {"a neighbour is written", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml",
       [](auto& at) { Write(at / "b.yaml"); }, 0},
      {"read", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml",
       [](auto& at) {
         std::string text;
         std::ifstream(at / "a.yaml") >> text;
       },
       0},
      {"deleted", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml", [](auto& at) { fs::remove(at / "a.yaml"); }, 1},
      {"made readable", [](auto& at) { Write(at / "a.yaml"); }, "a.yaml",
       [](auto& at) { fs::permissions(at / "a.yaml", fs::perms::owner_all); }, 1},
      {"created later", [](auto&) {}, "a.yaml", [](auto& at) { Write(at / "a.yaml"); }, 1},
      {"created later with its folder", [](auto&) {}, "deep/er/a.yaml",
       [](auto& at) {
         fs::create_directories(at / "deep/er");
         Write(at / "deep/er/a.yaml");
       },
       1},
      {"created as a hard link", [](auto& at) { Write(at / "b.yaml"); }, "a.yaml",
       [](auto& at) { fs::create_hard_link(at / "b.yaml", at / "a.yaml"); }, 1},
      {"a folder: a file is written", [](auto& at) { fs::create_directory(at / "d"); }, "d",
       [](auto& at) { Write(at / "d/a.yaml"); }, 1},
      {"a folder: a file is deleted",
       [](auto& at) {
         fs::create_directory(at / "d");
         Write(at / "d/a.yaml");
       },
       "d", [](auto& at) { fs::remove(at / "d/a.yaml"); }, 1},
      {"a folder is swapped",
       [](auto& at) {
         fs::create_directory(at / "d");
         fs::create_directory(at / "new");
         Write(at / "new/a.yaml");
       },
       "d/",
       [](auto& at) {
         fs::rename(at / "d", at / "old");
         fs::rename(at / "new", at / "d");
       },
       1},
      {"the folder above is swapped",
       [](auto& at) {
         fs::create_directories(at / "up/d");
         fs::create_directories(at / "new/d");
       },
       "up/d",
       [](auto& at) {
         fs::rename(at / "up", at / "old");
         fs::rename(at / "new", at / "up");
       },
       1},
      {"the target of a link is written",
       [](auto& at) {
         fs::create_directory(at / "else");
         Write(at / "else/real.yaml");
         fs::create_symlink("else/real.yaml", at / "a.yaml");
       },
       "a.yaml", [](auto& at) { Write(at / "else/real.yaml", "y"); }, 1},
      {"a neighbour of the target is written",
       [](auto& at) {
         fs::create_directory(at / "else");
         Write(at / "else/real.yaml");
         fs::create_symlink("else/real.yaml", at / "a.yaml");
       },
       "a.yaml", [](auto& at) { Write(at / "else/other.yaml", "y"); }, 0},
      {"a link is swapped",
       [](auto& at) {
         Write(at / "one");
         Write(at / "two");
         fs::create_symlink("one", at / "a.yaml");
       },
       "a.yaml",
       [](auto& at) {
         fs::create_symlink("two", at / "next");
         fs::rename(at / "next", at / "a.yaml");
       },
       1},
      {"Kubernetes swaps the data of a mounted folder",
       [](auto& at) {
         fs::create_directory(at / "..1");
         Write(at / "..1/a.yaml");
         fs::create_symlink("..1", at / "..data");
         fs::create_symlink("..data/a.yaml", at / "a.yaml");
       },
       "a.yaml",
       [](auto& at) {
         fs::create_directory(at / "..2");
         Write(at / "..2/a.yaml");
         fs::create_symlink("..2", at / "..data_tmp");
         fs::rename(at / "..data_tmp", at / "..data");
         fs::remove_all(at / "..1");
       },
       1},
      {"a file behind a link in a folder is written",
       [](auto& at) {
         fs::create_directories(at / "d");
         fs::create_directories(at / "else");
         Write(at / "else/real.yaml");
         fs::create_symlink(at / "else/real.yaml", at / "d/a.yaml");
       },
       "d", [](auto& at) { Write(at / "else/real.yaml", "y"); }, 1},
      {"a path through ..",
       [](auto& at) {
         fs::create_directories(at / "d");
         Write(at / "a.yaml");
       },
       "d/./../a.yaml", [](auto& at) { Write(at / "a.yaml", "y"); }, 1},
      {"links in a circle",
       [](auto& at) {
         fs::create_symlink("b", at / "a");
         fs::create_symlink("a", at / "b");
       },
       "a",
       [](auto& at) {
         fs::remove(at / "b");
         Write(at / "b");
       },
       1},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    row.prepare(folder_);
    counter_.count = 0;
    const auto watch = Watch(folder_ / row.watched);
    EXPECT_FALSE(watch->polling());
    row.act(folder_);
    Settle();
    EXPECT_EQ(counter_.count, row.told);
  }
}

TEST_F(FileWatchTest, WatchesWhatTheSwappedLinkLeadsTo) {
  for (const char* name : {"one", "two"}) {
    fs::create_directory(folder_ / name);
    Write(folder_ / name / "a.yaml");
  }
  fs::create_symlink("one", folder_ / "current");
  const auto watch = Watch(folder_ / "current/a.yaml");
  fs::create_symlink("two", folder_ / "next");
  fs::rename(folder_ / "next", folder_ / "current");
  Settle();
  EXPECT_EQ(counter_.count, 1);
  Write(folder_ / "two/a.yaml", "y");
  Settle();
  EXPECT_EQ(counter_.count, 2);
  Write(folder_ / "one/a.yaml", "y");
  Settle();
  EXPECT_EQ(counter_.count, 2) << "nobody looks there any more";
}

TEST_F(FileWatchTest, AWriterWhoHasNotClosedYetIsWaitedFor) {
  const auto watch = Watch(folder_ / "a.yaml");
  std::ofstream file(folder_ / "a.yaml");
  file << "half" << std::flush;
  Settle();
  EXPECT_EQ(counter_.count, 0);
  file.close();
  Settle();
  EXPECT_EQ(counter_.count, 1);
}

TEST_F(FileWatchTest, ChangesWithoutEndAreToldAllTheSame) {
  const auto watch = Watch(folder_);
  const base::MonotonicTime begin = loop_.Now();
  int number = 0;
  struct Writer : Timer::Handler {
    void OnTimer(Timer& timer) override { run(timer); }
    std::function<void(Timer&)> run;
  } writer;
  Timer timer(loop_.timers(), writer);
  writer.run = [&](Timer& self) {
    Write(folder_ / std::to_string(number++));
    self.Set(loop_.Now() + FileWatch::kQuiet / 5);
  };
  timer.Set(begin);
  while (counter_.count == 0 && loop_.Now() - begin < 10 * FileWatch::kDelayMax)
    loop_.Turn(true);
  EXPECT_EQ(counter_.count, 1);
  EXPECT_GE(loop_.Now() - begin, FileWatch::kDelayMax);
}

TEST_F(FileWatchTest, AChangeWhileTheHandlerReadsIsToldAgain) {
  Write(folder_ / "a.yaml");
  const auto watch = Watch(folder_ / "a.yaml");
  counter_.then = [&] {
    if (counter_.count == 1) Write(folder_ / "a.yaml", "z");
  };
  Write(folder_ / "a.yaml", "y");
  Settle();
  Settle();
  EXPECT_EQ(counter_.count, 2);
}

TEST_F(FileWatchTest, TooManyFoldersArePolled) {
  const fs::path many = folder_ / "many";
  fs::create_directory(many);
  for (size_t i = 0; i < FileWatch::kFoldersMax; ++i) {
    const fs::path target = folder_ / ("target" + std::to_string(i));
    fs::create_directory(target);
    Write(target / "a.yaml");
    fs::create_symlink(target / "a.yaml", many / (std::to_string(i) + ".yaml"));
  }
  const auto watch = Watch(many);
  EXPECT_TRUE(watch->polling());
}

}  // namespace
}  // namespace portico::event
