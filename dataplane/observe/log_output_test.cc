#include "dataplane/observe/log_output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "test/support/descriptor_pairs.h"

namespace portico::observe {
namespace {

using base::FileDescriptor;

TEST(LogOutput, NeverWaitsForAReaderAndChangesNoSharedFlag) {
  struct Case {
    std::string name;
    test::DescriptorPair (*make)();
  };
  const Case cases[] = {{"pipe", &test::MakePipe}, {"socket", &test::MakeSocket}, {"terminal", &test::MakeTerminal}};
  for (const Case& row : cases) {
    SCOPED_TRACE(row.name);
    const test::DescriptorPair pair = row.make();
    auto output = LogOutput::Share(pair.writer.get());
    ASSERT_TRUE(output.ok());
    EXPECT_FALSE(output->is_file());
    EXPECT_NE(output->fd(), pair.writer.get());
    const std::string lines(10'000, 'x');
    size_t written = 0;
    LogOutput::Result result = output->Write(lines);
    for (; result.written > 0 && written < 10'000'000; result = output->Write(lines))
      written += result.written;
    EXPECT_TRUE(result.would_wait()) << result.error;
    EXPECT_GT(written, 1000u);
    EXPECT_EQ(::fcntl(pair.writer.get(), F_GETFL) & O_NONBLOCK, 0);

    // Read all that was written, and it goes on.
    ASSERT_EQ(::fcntl(pair.reader.get(), F_SETFL, O_NONBLOCK), 0);
    char bytes[65536];
    while (::read(pair.reader.get(), bytes, sizeof bytes) > 0)
      continue;
    EXPECT_GT(output->Write(lines).written, 0u);
  }
}

// An eventfd can't be opened a second time and is no socket: what is left is to ask before each write.
TEST(LogOutput, AsksBeforeItWritesWhereNothingElseWorks) {
  const FileDescriptor fd(::eventfd(0, EFD_CLOEXEC));
  auto output = LogOutput::Share(fd.get());
  ASSERT_TRUE(output.ok());
  const uint64_t full = UINT64_MAX - 1;
  const std::string_view bytes(reinterpret_cast<const char*>(&full), sizeof full);
  EXPECT_EQ(output->Write(bytes).written, 8u);
  EXPECT_TRUE(output->Write(bytes).would_wait());
}

TEST(LogOutput, CutsPiecesForAPipeAfterALine) {
  constexpr size_t kMax = LogOutput::kPieceBytesMax;
  struct Case {
    std::string name, lines;
    size_t written;
  };
  const std::vector<Case> cases = {
      {"short", "a\nb\n", 4},
      {"exactly", std::string(kMax, 'x'), kMax},
      {"two lines too many", std::string(kMax - 10, 'x') + "\n" + std::string(20, 'y') + "\n", kMax - 9},
      {"one long line", std::string(kMax + 10, 'x') + "\n", kMax},
      {"nothing", "", 0},
  };
  for (const Case& test : cases) {
    SCOPED_TRACE(test.name);
    const test::DescriptorPair pair = test::MakePipe();
    auto output = LogOutput::Share(pair.writer.get());
    ASSERT_TRUE(output.ok());
    EXPECT_EQ(output->Write(test.lines).written, test.written);
  }
}

TEST(LogOutput, TellsAReaderThatIsGoneFromOneThatDoesNotRead) {
  ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);
  test::DescriptorPair pair = test::MakePipe();
  auto output = LogOutput::Share(pair.writer.get());
  ASSERT_TRUE(output.ok());
  pair.reader.Reset();
  EXPECT_EQ(output->Write("a\n").error, EPIPE);
}

TEST(LogOutput, SaysWhyAPathCantBeOpened) {
  std::string pattern = testing::TempDir() + "/output-XXXXXX";
  const std::string folder = ::mkdtemp(pattern.data());
  ASSERT_EQ(::mkfifo((folder + "/fifo").c_str(), 0600), 0);
  struct Case {
    std::string path, reason;
  };
  const Case cases[] = {{folder, "is a directory"},
                        {folder + "/missing/log", "no such file or directory"},
                        {folder + "/fifo", "no such device or address"}};
  for (const Case& test : cases) {
    const auto output = LogOutput::Open(test.path);
    ASSERT_FALSE(output.ok()) << test.path;
    EXPECT_EQ(base::ToStd(output.status().message()), test.reason) << test.path;
  }
  EXPECT_FALSE(LogOutput::Share(1'000'000).ok());
  std::filesystem::remove_all(folder);
}

TEST(LogOutput, WritesAFileWhole) {
  const std::string path = testing::TempDir() + "/whole.log";
  std::filesystem::remove(path);
  const std::string lines(1'000'000, 'x');
  {
    auto output = LogOutput::Open(path);
    ASSERT_TRUE(output.ok());
    EXPECT_TRUE(output->is_file());
    EXPECT_EQ(output->Write(lines).written, lines.size());
    const FileDescriptor shared(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
    auto again = LogOutput::Share(shared.get());
    ASSERT_TRUE(again.ok());
    EXPECT_TRUE(again->is_file());
    EXPECT_EQ(again->Write(lines).written, lines.size());
  }
  EXPECT_EQ(std::filesystem::file_size(path), 2 * lines.size());
}

}  // namespace
}  // namespace portico::observe
