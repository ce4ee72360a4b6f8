#include "controlplane/storage.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>

#include "api/base/text.h"
#include "controlplane/model/test_resources.h"
#include "gtest/gtest.h"

namespace portico::controlplane {
namespace {

constexpr char kSecret[] = R"(
kind: Secret
metadata: {name: keys}
spec: {jwks: {inline: '{"keys":[{"kty":"oct","alg":"HS256","kid":"a","k":"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ"}]}'}}
)";

class StorageTest : public testing::Test {
 protected:
  StorageTest() {
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    options_.store_file = folder_ + "/portico.db";
    options_.secrets_key_file = folder_ + "/secrets.key";
  }
  ~StorageTest() override { std::filesystem::remove_all(folder_); }

  absl::StatusOr<std::unique_ptr<change::Changes>> Open() {
    return OpenChanges(options_, key_pairs_, [] { return int64_t{1'000'000}; });
  }
  // Stores a Secret, and closes.
  void Seal() {
    const auto changes = Open();
    ASSERT_TRUE(changes.ok()) << changes.status();
    const auto result = (*changes)->Apply({.resources = test::ReadResources(kSecret)}, {"alice", "127.0.0.1:1"});
    ASSERT_TRUE(std::holds_alternative<change::Outcome>(result));
  }
  std::string WhyNot() {
    const auto changes = Open();
    return changes.ok() ? "it opened" : std::string(changes.status().message());
  }

  std::string folder_ = testing::TempDir() + "/storage_XXXXXX";
  Options options_;
  const test::AnyKeyPair key_pairs_;
};

TEST_F(StorageTest, ANewStoreMakesItsKey) {
  Seal();
  struct stat about{};
  ASSERT_EQ(stat(options_.secrets_key_file.c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777, 0600u);
  const auto again = Open();
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ((*again)->Now()->revision, 1u);
}

TEST_F(StorageTest, AStoreInMemoryMakesNoFile) {
  options_.store_file.reset();
  Seal();
  EXPECT_TRUE(std::filesystem::is_empty(folder_));
}

TEST_F(StorageTest, AMistypedKeyFileIsNotMade) {
  Seal();
  options_.secrets_key_file = folder_ + "/secret.key";
  EXPECT_NE(WhyNot().find("/secret.key: there is no such file, and the store is not new (revision 1)"),
            std::string::npos)
      << WhyNot();
  EXPECT_FALSE(std::filesystem::exists(options_.secrets_key_file));
}

TEST_F(StorageTest, SaysWhatIsWrongWithTheKey) {
  Seal();
  struct Row {
    std::string_view name;
    std::string content;
    std::string_view says;
  };
  const Row rows[] = {
      {"another", std::string(64, '0'), "stored Secret/default/keys: it was sealed with another key"},
      {"cut off", "0123", "--secrets_key_file="},
      {"nothing", "", "must hold 64 hexadecimal digits"},
  };
  for (const Row& row : rows) {
    std::ofstream(options_.secrets_key_file) << row.content;
    EXPECT_NE(WhyNot().find(row.says), std::string::npos) << row.name << ": " << WhyNot();
  }
}

TEST_F(StorageTest, SaysWhichStoreItCannotOpen) {
  options_.store_file = folder_ + "/none/portico.db";
  EXPECT_NE(WhyNot().find("--store=sqlite: "), std::string::npos) << WhyNot();
  EXPECT_FALSE(std::filesystem::exists(options_.secrets_key_file));
}

TEST_F(StorageTest, CopiesAndPutsBack) {
  Seal();
  options_.backup_to = folder_ + "/copy.db";
  ASSERT_TRUE(CopyStore(options_).ok());
  EXPECT_NE(CopyStore(options_).status().message().find("copy.db is there already"), absl::string_view::npos);
  std::filesystem::remove(*options_.store_file);
  options_.backup_to.clear();
  options_.restore_from = folder_ + "/copy.db";
  ASSERT_TRUE(CopyStore(options_).ok());
  EXPECT_EQ((*Open())->Now()->revision, 1u);
  options_.restore_from = folder_ + "/none.db";
  EXPECT_NE(CopyStore(options_).status().message().find("none.db"), absl::string_view::npos);
}

}  // namespace
}  // namespace portico::controlplane
