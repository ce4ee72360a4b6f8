#include "dataplane/export/log_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <set>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "api/base/text.h"
#include "test/support/descriptor_pairs.h"

namespace portico::exporting {
namespace {

using base::Concat;
using base::FileDescriptor;
constexpr int kPatienceMilliseconds = 20'000;

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return (std::stringstream() << file.rdbuf()).str();
}

// A folder of its own, and the warnings.
class LogFileTest : public testing::Test {
 protected:
  LogFileTest() {
    std::string pattern = testing::TempDir() + "/log-XXXXXX";
    folder_ = ::mkdtemp(pattern.data());
    path_ = folder_ + "/access.log";
  }
  ~LogFileTest() override { std::filesystem::remove_all(folder_); }

  std::function<void(std::string)> Warn() {
    return [this](std::string text) {
      std::lock_guard lock(mutex_);
      warnings_.push_back(std::move(text));
    };
  }
  std::vector<std::string> warnings() {
    std::lock_guard lock(mutex_);
    return warnings_;
  }
  LogTarget File() const { return {LogTarget::Kind::kFile, path_}; }

  // Waits until the folder changes and the condition holds.
  void Await(const std::function<bool()>& condition) {
    const FileDescriptor watch(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
    ASSERT_GE(::inotify_add_watch(watch.get(), folder_.c_str(), IN_MODIFY | IN_CREATE | IN_MOVED_TO), 0);
    while (!condition()) {
      struct pollfd one = {watch.get(), POLLIN, 0};
      ASSERT_EQ(::poll(&one, 1, kPatienceMilliseconds), 1) << "the folder did not change";
      char events[4096];
      ASSERT_GT(::read(watch.get(), events, sizeof events), 0);
    }
  }
  void AwaitContent(const std::string& path, const std::string& content) {
    Await([&] { return ReadFile(path) == content; });
  }

  // The reading end of a FIFO at path_.
  FileDescriptor MakeFifo() {
    EXPECT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    return FileDescriptor(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  }

  std::string folder_, path_;

 private:
  std::mutex mutex_;
  std::vector<std::string> warnings_;
};

void MustWrite(LogFile& log, std::string lines) {
  ASSERT_TRUE(log.TryWrite(lines));
  EXPECT_TRUE(lines.empty());
}

// Up to `size` bytes, or to the end of what is written, waiting for them.
std::string ReadFrom(const FileDescriptor& fd, size_t size) {
  std::string read;
  while (read.size() < size) {
    struct pollfd one = {fd.get(), POLLIN, 0};
    if (::poll(&one, 1, kPatienceMilliseconds) != 1) break;
    char bytes[4096];
    const ssize_t count = ::read(fd.get(), bytes, std::min(sizeof bytes, size - read.size()));
    if (count <= 0) break;
    read.append(bytes, static_cast<size_t>(count));
  }
  return read;
}

// What comes until it ends so.
std::string ReadUntil(const FileDescriptor& fd, std::string_view end) {
  std::string read;
  while (!read.ends_with(end)) {
    struct pollfd one = {fd.get(), POLLIN, 0};
    if (::poll(&one, 1, kPatienceMilliseconds) != 1) break;
    char bytes[4096];
    const ssize_t count = ::read(fd.get(), bytes, sizeof bytes);
    if (count <= 0) break;
    read.append(bytes, static_cast<size_t>(count));
  }
  return read;
}

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

TEST_F(LogFileTest, AppendsInOrderAndWritesWhatWaitsAtItsEnd) {
  const mode_t before = ::umask(0);
  {
    std::ofstream(path_) << "";
  }
  std::filesystem::remove(path_);
  std::string expected;
  for (int round = 0; round < 2; ++round) {
    LogFile log(Warn());
    log.Retarget(File());
    for (int i = 0; i < 1000; ++i) {
      MustWrite(log, Concat("line ", i, "\n"));
      expected += Concat("line ", i, "\n");
    }
  }
  ::umask(before);
  EXPECT_EQ(ReadFile(path_), expected);
  struct stat status;
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640u);
  EXPECT_TRUE(warnings().empty());
}

TEST_F(LogFileTest, DiscardsWithoutATarget) {
  LogFile log(Warn());
  MustWrite(log, "gone\n");
  log.Retarget({LogTarget::Kind::kNone, ""});
  MustWrite(log, "gone too\n");
  MustWrite(log, "");
  EXPECT_EQ(log.dropped_lines(), 0u);
}

TEST_F(LogFileTest, RotationByRenameLosesNoLine) {
  constexpr int kLines = 20'000, kRotations = 20;
  {
    LogFile log(Warn());
    log.Retarget(File());
    std::thread producer([&log] {
      for (int i = 0; i < kLines; ++i)
        MustWrite(log, Concat("line ", i, "\n"));
    });
    Await([this] { return std::filesystem::exists(path_); });
    for (int i = 0; i < kRotations; ++i) {
      std::filesystem::rename(path_, Concat(path_, ".", i));
      log.Reopen();
      Await([this] { return std::filesystem::exists(path_); });
    }
    producer.join();
  }
  std::set<std::string> lines;
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line); ++count)
      lines.insert(line);
  }
  EXPECT_EQ(count, kLines);
  EXPECT_EQ(lines.size(), static_cast<size_t>(kLines));
  EXPECT_TRUE(lines.contains("line 0") && lines.contains(Concat("line ", kLines - 1)));
}

TEST_F(LogFileTest, AReopenThatFailsKeepsTheOldFile) {
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, "one\n");
  AwaitContent(path_, "one\n");
  std::filesystem::rename(path_, path_ + ".1");
  std::filesystem::create_directory(path_);
  log.Reopen();
  MustWrite(log, "two\n");
  AwaitContent(path_ + ".1", "one\ntwo\n");
  ASSERT_FALSE(warnings().empty());
  EXPECT_EQ(warnings()[0], Concat("access log ", path_, ": cannot be opened: is a directory"));
  std::filesystem::remove(path_);
  while (!std::filesystem::exists(path_))  // it is tried again, without another Reopen
    MustWrite(log, "three\n");
  Await([this] { return ReadFile(path_).starts_with("three\n"); });
  EXPECT_EQ(log.dropped_lines(), 0u);
}

TEST_F(LogFileTest, ANewTargetTakesOver) {
  const std::string other = folder_ + "/other.log";
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, "one\n");
  AwaitContent(path_, "one\n");
  log.Retarget({LogTarget::Kind::kFile, other});
  MustWrite(log, "two\n");
  AwaitContent(other, "two\n");
  std::filesystem::rename(other, other + ".1");
  log.Retarget({LogTarget::Kind::kFile, other});  // the same: not opened anew
  MustWrite(log, "three\n");
  AwaitContent(other + ".1", "two\nthree\n");
  EXPECT_EQ(ReadFile(path_), "one\n");
  EXPECT_FALSE(std::filesystem::exists(other));
}

TEST_F(LogFileTest, WarnsSeldomOfWhatItCantWrite) {
  struct Case {
    std::string name, path, reason;
  };
  const std::vector<Case> cases = {
      {"full", "/dev/full", "no space left on device"},
      {"no folder", folder_ + "/missing/access.log", "cannot be opened: no such file or directory"},
      {"a FIFO without a reader", folder_ + "/fifo", "cannot be opened: no such device or address"},
  };
  ASSERT_EQ(::mkfifo((folder_ + "/fifo").c_str(), 0600), 0);
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const size_t before = warnings().size();
    const Stopwatch watch;
    {
      LogFile log(Warn());
      log.Retarget({LogTarget::Kind::kFile, test.path});
      for (int i = 0; i < 1000; ++i)
        MustWrite(log, "a\nb\n");
    }
    std::vector<std::string> said = warnings();
    said.erase(said.begin(), said.begin() + static_cast<ptrdiff_t>(before));
    ASSERT_GE(said.size(), 2u);
    EXPECT_LE(static_cast<double>(said.size()), 2 + watch.seconds());
    EXPECT_TRUE(said[0].starts_with(Concat("access log ", test.path, ": ", test.reason))) << said[0];
    uint64_t dropped = 0;
    for (const std::string& text : said)
      if (const size_t at = text.rfind("; lines dropped: "); at != std::string::npos)
        dropped += *base::ParseDecimal(std::string_view(text).substr(at + 17));
    EXPECT_EQ(dropped, 2000u);
  }
}

TEST_F(LogFileTest, EndsALineThatTheDiskCutBeforeTheNext) {
  struct rlimit unlimited;
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &unlimited), 0);
  struct rlimit ten = unlimited;
  ten.rlim_cur = 10;
  LogFile log(Warn());
  log.Retarget(File());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &ten), 0);
  MustWrite(log, "first\nsecond\nthird\n");
  AwaitContent(path_, "first\nseco");
  // The rest is refused by now or after the limit is gone: both are right, so wait for the refusal.
  while (log.dropped_lines() == 0)
    std::this_thread::yield();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &unlimited), 0);
  MustWrite(log, "fourth\n");
  AwaitContent(path_, "first\nseco\nfourth\n");
  EXPECT_EQ(log.dropped_lines(), 2u);
}

TEST_F(LogFileTest, ContinuesPartialWritesOnceSomebodyReads) {
  const FileDescriptor reader = MakeFifo();
  std::string expected;
  LogFile log(Warn());
  log.Retarget(File());
  for (int i = 0; i < 300; ++i) {
    // Longer and shorter than a pipe keeps together, and than a pipe holds.
    std::string line(static_cast<size_t>(i % 7 == 0   ? 100'000
                                         : i % 5 == 0 ? 5000
                                                      : 300),
                     static_cast<char>('a' + i % 26));
    line += '\n';
    expected += line;
    MustWrite(log, line);
  }
  EXPECT_TRUE(ReadFrom(reader, expected.size()) == expected);
}

TEST_F(LogFileTest, AReaderThatDoesNotReadStopsNobody) {
  const FileDescriptor reader = MakeFifo();
  const Stopwatch watch;
  {
    LogFile log(Warn());
    log.Retarget(File());
    std::string lines;
    size_t accepted = 0;
    do {
      lines = std::string(1'000'001, 'x');
      lines.back() = '\n';
    } while (log.TryWrite(lines) && ++accepted < 100);
    EXPECT_EQ(lines.size(), 1'000'001u) << "refused, so untouched";
    EXPECT_GE(accepted, 33u);
    EXPECT_LE(accepted, 67u) << "one half waits, one is being written";
  }
  EXPECT_LT(watch.seconds(), 10);
  ASSERT_FALSE(warnings().empty());
  EXPECT_NE(warnings().back().find("ended before all was written; lines dropped: "), std::string::npos);
}

TEST_F(LogFileTest, AStallIsSaidOnce) {
  const FileDescriptor reader = MakeFifo();
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, std::string(100'000, 'x') + '\n');
  while (warnings().empty())
    std::this_thread::yield();
  EXPECT_EQ(warnings()[0],
            Concat("access log ", path_, ": nobody reads it; lines wait, and are dropped once there are too many"));
  EXPECT_EQ(ReadFrom(reader, 100'001).size(), 100'001u);
  EXPECT_EQ(warnings().size(), 1u);
}

TEST_F(LogFileTest, AReaderMayLeaveAndComeBack) {
  FileDescriptor reader = MakeFifo();
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, std::string(100'000, 'x') + '\n');
  EXPECT_EQ(ReadFrom(reader, 10), "xxxxxxxxxx");
  reader.Reset();
  while (log.dropped_lines() == 0)
    std::this_thread::yield();
  reader.Reset(::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  MustWrite(log, "next\n");
  const std::string read = ReadUntil(reader, "next\n");  // the pipe still holds what the first reader left
  EXPECT_LT(read.size(), 100'000u);
  EXPECT_TRUE(read.ends_with("x\nnext\n"));
  EXPECT_NE(warnings().at(0).find("broken pipe"), std::string::npos);
}

TEST_F(LogFileTest, LeavesAReaderThatDoesNotRead) {
  const FileDescriptor reader = MakeFifo();
  const std::string other = folder_ + "/other.log";
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, std::string(100'000, 'x') + "\nwhole\n");
  ASSERT_EQ(ReadFrom(reader, 5000).size(), 5000u);  // the writer is amid the long line
  log.Retarget({LogTarget::Kind::kFile, other});
  MustWrite(log, "next\n");
  AwaitContent(other, "whole\nnext\n");
  EXPECT_EQ(log.dropped_lines(), 1u);
}

TEST_F(LogFileTest, ReopensAFifoAmidALine) {
  const FileDescriptor reader = MakeFifo();
  LogFile log(Warn());
  log.Retarget(File());
  MustWrite(log, std::string(200'000, 'x') + "\nwhole\n");
  ASSERT_EQ(ReadFrom(reader, 5000).size(), 5000u);
  log.Reopen();
  MustWrite(log, "next\n");
  const std::string read = ReadUntil(reader, "next\n");
  EXPECT_LT(read.size(), 200'000u);
  EXPECT_TRUE(read.ends_with("x\nwhole\nnext\n"));
  EXPECT_EQ(log.dropped_lines(), 1u);
}

// A pipe or a terminal as the standard output of this process, for as long as it lives.
class StandardOutput {
 public:
  explicit StandardOutput(int fd) : saved_(::dup(STDOUT_FILENO)) { ::dup2(fd, STDOUT_FILENO); }
  ~StandardOutput() { ::dup2(saved_.get(), STDOUT_FILENO); }

 private:
  FileDescriptor saved_;
};

TEST_F(LogFileTest, WritesToStandardOutputAndLeavesItsFlagsAlone) {
  struct Case {
    std::string name;
    test::DescriptorPair (*make)();
    std::string line_end;
  };
  const Case cases[] = {{"pipe", &test::MakePipe, "\n"}, {"terminal", &test::MakeTerminal, "\r\n"}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const test::DescriptorPair pair = row.make();
    const StandardOutput replaced(pair.writer.get());
    {
      LogFile log(Warn());
      log.Retarget({LogTarget::Kind::kStandardOutput, ""});
      MustWrite(log, "hello\n");
      const std::string expected = "hello" + row.line_end;
      EXPECT_EQ(ReadFrom(pair.reader, expected.size()), expected);
      log.Reopen();  // is for files
      for (int i = 0; i < 100; ++i)
        MustWrite(log, std::string(3000, 'x') + '\n');  // nobody reads this
      EXPECT_EQ(::fcntl(pair.writer.get(), F_GETFL) & O_NONBLOCK, 0);
    }
    EXPECT_EQ(::fcntl(pair.writer.get(), F_GETFL) & O_NONBLOCK, 0);
  }
  ASSERT_FALSE(warnings().empty());
  EXPECT_TRUE(warnings()[0].starts_with("access log standard output: ")) << warnings()[0];
}

}  // namespace
}  // namespace portico::exporting
