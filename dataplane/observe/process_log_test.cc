#include "dataplane/observe/process_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"

namespace portico::observe {
namespace {

using base::FileDescriptor;

constexpr std::string_view kTime = "2026-11-25T22:00:00.123Z ";

base::WallTime Now() {
  return base::WallTime(std::chrono::microseconds(1'795'644'000'123'456));
}

class ProcessLogTest : public testing::Test {
 protected:
  ProcessLogTest() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    reader_.Reset(ends[0]);
    writer_.Reset(ends[1]);
    EXPECT_EQ(::fcntl(reader_.get(), F_SETFL, O_NONBLOCK), 0);
  }
  std::string Read() {
    std::string text;
    char bytes[4096];
    for (ssize_t count; (count = ::read(reader_.get(), bytes, sizeof bytes)) > 0;)
      text.append(bytes, static_cast<size_t>(count));
    return text;
  }

  FileDescriptor reader_, writer_;
};

TEST_F(ProcessLogTest, WritesOneLineWhateverTheText) {
  struct Case {
    std::string name, text, shown;
  };
  const std::vector<Case> cases = {
      {"plain", "configuration 7 is in use", "configuration 7 is in use"},
      {"empty", "", ""},
      {"lines", "a\nb\r\tc", "a\\nb\\r\\tc"},
      {"a forged line", "x\n2026-11-25T22:00:00.000Z error y", "x\\n2026-11-25T22:00:00.000Z error y"},
      {"terminal", "\x1b[2J\x07\x7f", "\\x1b[2J\\x07\\x7f"},
      {"zero", std::string("a\0b", 3), "a\\x00b"},
      {"UTF-8", "Köln → ☂", "Köln → ☂"},
      {"C1 in UTF-8", "\xc2\x9b\x32J\xc2\xa0", "\\xc2\\x9b2J\xc2\xa0"},
      {"not UTF-8", "\xff\xc3(", "\\xff\\xc3("},
      {"cut off", "\xe2\x82", "\\xe2\\x82"},
      {"backslash", "a\\b", "a\\b"},
      {"at its limit", std::string(4000, 'x'), std::string(4000, 'x')},
      {"too long", std::string(4001, 'x'), std::string(4000, 'x') + "…"},
      {"whole characters only", std::string(3999, 'x') + "ö", std::string(3999, 'x') + "…"},
      {"whole escapes only", std::string(3999, 'x') + "\n", std::string(3999, 'x') + "…"},
  };
  ProcessLog log(writer_.get(), &Now);
  for (const Case& test : cases) {
    log.Write(Severity::kWarning, test.text);
    EXPECT_EQ(Read(), base::Concat(kTime, "warning ", test.shown, "\n")) << test.name;
  }
}

TEST_F(ProcessLogTest, WritesWhatIsSevereEnough) {
  const Severity all[] = {Severity::kError, Severity::kWarning, Severity::kInfo, Severity::kDebug};
  ProcessLog log(writer_.get(), &Now);
  EXPECT_EQ(log.level(), Severity::kInfo);
  for (const Severity level : all) {
    log.set_level(level);
    EXPECT_EQ(ParseSeverity(SeverityName(level)), level);
    std::string expected;
    for (const Severity severity : all) {
      log.Write(severity, "text");
      if (severity <= level) expected += base::Concat(kTime, SeverityName(severity), " text\n");
    }
    EXPECT_EQ(Read(), expected) << SeverityName(level);
  }
  EXPECT_EQ(ParseSeverity("Debug"), std::nullopt);
  EXPECT_EQ(ParseSeverity(""), std::nullopt);
}

TEST_F(ProcessLogTest, DropsWhatNobodyReadsAndSaysHowMuch) {
  ProcessLog log(writer_.get(), &Now);
  constexpr int kWritten = 1000;
  for (int i = 0; i < kWritten; ++i)
    log.Write(Severity::kInfo, base::Concat("line ", i, ' ', std::string(300, 'x')));
  const auto lines = base::Split(Read(), '\n').size() - 1;
  ASSERT_LT(lines, 990u);
  log.Write(Severity::kInfo, "read again");
  // The line that went out first in its place waited; it is not lost.
  const std::string after = Read();
  const size_t waited =
      after.find("line ") == std::string::npos || after.find("lines of") < after.find("line ") ? 0 : 1;
  EXPECT_NE(after.find(base::Concat(kTime, "warning lines of this log that nobody read were dropped: ",
                                    kWritten - lines - waited, "\n", kTime, "info read again\n")),
            std::string::npos)
      << after << lines;
  EXPECT_EQ(::fcntl(writer_.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST_F(ProcessLogTest, KeepsLinesOfThreadsApart) {
  ProcessLog log(writer_.get(), &Now);
  std::vector<std::thread> threads;
  for (char c : {'a', 'b', 'c'})
    threads.emplace_back([&log, c] {
      for (int i = 0; i < 50; ++i)
        log.Write(Severity::kInfo, std::string(200, c));
    });
  for (std::thread& thread : threads)
    thread.join();
  int count = 0;
  const std::string text = Read();
  for (const std::string_view line : base::Split(text, '\n')) {
    if (line.empty()) continue;
    ++count;
    EXPECT_EQ(line, base::Concat(kTime, "info ", std::string(200, line.back())));
  }
  EXPECT_EQ(count, 150);
}

TEST_F(ProcessLogTest, SurvivesAReaderThatIsGoneAndADescriptorThatNeverWas) {
  ASSERT_NE(::signal(SIGPIPE, SIG_IGN), SIG_ERR);
  ProcessLog log(writer_.get(), &Now);
  reader_.Reset();
  log.Write(Severity::kInfo, "nobody hears this");
  ProcessLog none(1'000'000, &Now);
  none.Write(Severity::kInfo, "nor this");
}

}  // namespace
}  // namespace portico::observe
