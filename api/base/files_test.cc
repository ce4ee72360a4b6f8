#include "api/base/files.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "api/base/text.h"

namespace portico::base {
namespace {

class FilesTest : public testing::Test {
 protected:
  FilesTest() { EXPECT_NE(mkdtemp(folder_.data()), nullptr); }
  ~FilesTest() override { std::filesystem::remove_all(folder_); }
  std::string Path(std::string_view name) const { return Concat(folder_, "/", name); }
  std::string Make(std::string_view name, std::string_view text, mode_t mode = 0600) const {
    std::ofstream(Path(name)) << text;
    EXPECT_EQ(chmod(Path(name).c_str(), mode), 0);
    return Path(name);
  }
  static mode_t ModeOf(const std::string& path) {
    struct stat status{};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }
  std::string folder_ = testing::TempDir() + "/files_XXXXXX";
};

TEST_F(FilesTest, WhatIsWrittenIsReadAndPrivate) {
  const std::string path = Path("state");
  for (const std::string& text : {std::string("one"), std::string(300'000, 'x'), std::string()}) {
    ASSERT_TRUE(WriteDurably(path, text).ok());
    EXPECT_EQ(*ReadWhole(path, 300'000), text);
    EXPECT_EQ(ModeOf(path), 0600u);
    EXPECT_FALSE(std::filesystem::exists(path + ".new"));
  }
}

TEST_F(FilesTest, AnOldNeighbourIsNoMatter) {
  const std::string path = Make("state", "old", 0644);
  Make("state.new", "what a crash left behind", 0644);
  std::ifstream reader(path + ".new");  // somebody has it open, and reads on
  ASSERT_TRUE(WriteDurably(path, "new").ok());
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(reader), {}), "what a crash left behind");
  EXPECT_EQ(*ReadWhole(path, 10), "new");
  EXPECT_EQ(ModeOf(path), 0600u);
}

TEST_F(FilesTest, WhatCannotBeWrittenIsNamed) {
  EXPECT_EQ(WriteDurably(Path("none/state"), "x").code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(std::filesystem::create_directory(Path("folder")));
  EXPECT_FALSE(WriteDurably(Path("folder"), "x").ok());
  EXPECT_FALSE(std::filesystem::exists(Path("folder.new")));
  std::filesystem::create_symlink(Path("elsewhere"), Path("state.new"));
  EXPECT_TRUE(WriteDurably(Path("state"), "x").ok());
  EXPECT_FALSE(std::filesystem::exists(Path("elsewhere"))) << "a link that somebody laid is not followed";
  EXPECT_EQ(*ReadWhole(Path("state"), 10), "x");
  ASSERT_TRUE(std::filesystem::create_directory(Path("other.new")));
  EXPECT_FALSE(WriteDurably(Path("other"), "x").ok());
}

TEST_F(FilesTest, ReadingIsBounded) {
  const std::string path = Make("f", "12345");
  EXPECT_EQ(*ReadWhole(path, 5), "12345");
  EXPECT_EQ(ReadWhole(path, 4).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(ReadWhole(Path("none"), 4).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FilesTest, AKeyIsMadeOnceAndRead) {
  FileKey key;
  for (size_t i = 0; i < key.size(); ++i)
    key[i] = static_cast<uint8_t>(i * 9);
  EXPECT_EQ(ReadKeyFile(Path("key")).status().code(), absl::StatusCode::kNotFound);
  ASSERT_TRUE(MakeKeyFile(Path("key"), key).ok());
  EXPECT_EQ(*ReadKeyFile(Path("key")), key);
  EXPECT_EQ(ModeOf(Path("key")), 0600u);
  EXPECT_EQ(MakeKeyFile(Path("key"), key).code(), absl::StatusCode::kAlreadyExists);
}

TEST_F(FilesTest, WhatIsNoKeyIsRefused) {
  const std::string good(64, 'a');
  const struct {
    std::string_view name;
    std::string text;
    mode_t mode;
    std::string_view says;  // "": accepted
  } kRows[] = {
      {"good", good, 0600, ""},
      {"with the end of its line", good + "\n", 0400, ""},
      {"upper case", std::string(64, 'F'), 0600, ""},
      {"others may read it", good, 0640, "others may read it"},
      {"everybody may write it", good, 0602, "others may read it"},
      {"empty", "", 0600, "64 hexadecimal digits"},
      {"short", good.substr(1), 0600, "64 hexadecimal digits"},
      {"long", good + "a", 0600, "64 hexadecimal digits"},
      {"very long", std::string(10'000, 'a'), 0600, "64 hexadecimal digits"},
      {"no digits", good.substr(1) + "g", 0600, "64 hexadecimal digits"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    std::filesystem::remove(Path("key"));
    const std::string path = Make("key", row.text, row.mode);
    const absl::StatusOr<FileKey> key = ReadKeyFile(path);
    EXPECT_EQ(key.ok(), row.says.empty());
    if (key.ok()) continue;
    EXPECT_EQ(key.status().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_NE(ToStd(key.status().message()).find(row.says), std::string_view::npos) << key.status();
    EXPECT_EQ(ToStd(key.status().message()).find(row.text.empty() ? "?" : row.text), std::string_view::npos)
        << "no part of a key is shown";
  }
}

}  // namespace
}  // namespace portico::base
