#include "controlplane/line_log.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <string>

#include "api/base/text.h"

namespace portico::controlplane {
namespace {

constexpr int kLines = 20'000;  // more than any pipe or socket takes

struct Ends {
  int read, write;
};

Ends Pipe() {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  return {ends[0], ends[1]};
}

Ends SocketPair() {
  int ends[2];
  EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  return {ends[0], ends[1]};
}

std::string ReadAll(int descriptor) {
  fcntl(descriptor, F_SETFL, O_NONBLOCK);
  std::string all;
  char piece[4096];
  for (ssize_t size = 0; (size = read(descriptor, piece, sizeof piece)) > 0;)
    all.append(piece, static_cast<size_t>(size));
  return all;
}

size_t Count(const std::string& text, const std::string& part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
    ++count;
  return count;
}

TEST(LineLogTest, NobodyWaitsAndWhatIsDroppedIsCounted) {
  const struct {
    const char* name;
    std::function<Ends()> make;
  } rows[] = {{"a pipe", Pipe}, {"a socket", SocketPair}};
  for (const auto& row : rows) {
    const Ends ends = row.make();
    LineLog log(ends.write, "program");
    std::future<void> written = std::async(std::launch::async, [&log] {
      for (int i = 0; i < kLines; ++i)
        log.Write(base::Concat("line ", i));
    });
    const bool in_time = written.wait_for(std::chrono::seconds(30)) == std::future_status::ready;
    EXPECT_TRUE(in_time) << row.name << ": it waits for a reader";
    std::string read = ReadAll(ends.read);
    while (written.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
      ReadAll(ends.read);  // of a log that waits: the test ends
    EXPECT_TRUE(read.starts_with("program: line 0\nprogram: line 1\n")) << row.name;
    log.Write("later");
    log.Write("last");
    read += ReadAll(ends.read);
    const size_t whole = Count(read, "program: line ");
    EXPECT_LT(whole, static_cast<size_t>(kLines)) << row.name;
    EXPECT_TRUE(read.ends_with(base::Concat("program: ", kLines - whole,
                                            " lines were dropped: nobody read them\nprogram: later\nprogram: last\n")))
        << row.name << ": " << read.substr(read.size() - std::min<size_t>(200, read.size()));
    EXPECT_EQ(fcntl(ends.write, F_GETFL) & O_NONBLOCK, 0) << row.name;
    close(ends.read);
    close(ends.write);
  }
}

TEST(LineLogTest, AFileHasEverything) {
  std::string path = testing::TempDir() + "/line_log_XXXXXX";
  const int file = mkstemp(path.data());
  ASSERT_GE(file, 0);
  LineLog log(file, "program");
  log.Write("a line");
  log.Write(std::string(10'000, 'x'));
  log.Write("");
  EXPECT_EQ(lseek(file, 0, SEEK_SET), 0);
  EXPECT_EQ(ReadAll(file),
            base::Concat("program: a line\nprogram: ", std::string(LineLog::kLineBytesMax - 10, 'x'), "\nprogram: \n"));
  close(file);
  unlink(path.c_str());
}

TEST(LineLogTest, NoReaderAndNoDescriptorAreNothing) {
  signal(SIGPIPE, SIG_IGN);
  const Ends ends = Pipe();
  close(ends.read);
  LineLog(ends.write, "program").Write("a line");
  close(ends.write);
  LineLog(-1, "program").Write("a line");
}

}  // namespace
}  // namespace portico::controlplane
