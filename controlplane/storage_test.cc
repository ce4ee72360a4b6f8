#include "controlplane/storage.h"

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/sqlite/database.h"
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
    return OpenChanges(
        options_, key_pairs_, [] { return int64_t{1'000'000}; },
        [this](std::string_view line) { log_ += base::Concat(line, "\n"); });
  }
  // Stores a Secret, and closes.
  void Seal() { Apply({.resources = test::ReadResources(kSecret)}); }
  void Apply(const change::Change& change) {
    const auto changes = Open();
    ASSERT_TRUE(changes.ok()) << changes.status();
    ASSERT_TRUE(std::holds_alternative<change::Outcome>((*changes)->Apply(change, {"alice", "127.0.0.1:1"})));
  }
  void WriteKey(const std::string& content) { std::ofstream(options_.secrets_key_file) << content; }
  // As an older release had it.
  void ForgetItsKey() {
    auto database = *store::sqlite::Database::Open(*options_.store_file, /*read_only=*/false);
    ASSERT_TRUE(database.Execute("DELETE FROM fact WHERE name = 'user.secrets key'").ok());
  }
  std::string WhyNot() {
    const auto changes = Open();
    return changes.ok() ? "it opened" : std::string(changes.status().message());
  }

  std::string folder_ = testing::TempDir() + "/storage_XXXXXX";
  Options options_;
  const test::AnyKeyPair key_pairs_;
  std::string log_;
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
      {"another", std::string(64, '0'),
       "/secrets.key: is not the key of this store (what it is known by: it was sealed with another key or has been "
       "changed); name the file that was made with the store"},
      {"cut off", "0123", "--secrets_key_file="},
      {"nothing", "", "must hold 64 hexadecimal digits"},
  };
  for (const Row& row : rows) {
    WriteKey(row.content);
    EXPECT_NE(WhyNot().find(row.says), std::string::npos) << row.name << ": " << WhyNot();
  }
}

TEST_F(StorageTest, AnotherKeyIsRefusedWhileThereIsNoSecret) {
  const change::Change cluster{.resources = test::ReadResources(
                                   "kind: Cluster\nmetadata: {name: a}\nspec: {endpoints: [{address: 127.0.0.1, port: "
                                   "1}]}")};
  const change::Change gone{.deletes = {{"Secret", "default", "keys"}}};
  struct Row {
    std::string_view name;
    std::vector<change::Change> changes;
    bool older_release;  // which kept nothing to know the key by
    std::string_view says;
  };
  const change::Change secret{.resources = test::ReadResources(kSecret)};
  const Row rows[] = {
      {"never a revision", {}, false, "(what it is known by: "},
      {"never a secret", {cluster}, false, "(what it is known by: "},
      {"a secret that is gone", {secret, gone}, false, "(what it is known by: "},
      {"older, never a secret: any key may be the first", {cluster}, true, "it opened"},
      {"older, with a secret", {secret, cluster}, true, "stored Secret/default/keys: it was sealed with another key"},
      {"older, with a secret that is gone", {secret, gone, cluster}, true, "(revision 1: stored Secret/default/keys: "},
  };
  for (const Row& row : rows) {
    ASSERT_TRUE(Open().ok());
    for (const change::Change& change : row.changes)
      Apply(change);
    if (row.older_release) ForgetItsKey();
    ASSERT_TRUE(row.older_release || Open().ok()) << row.name;
    WriteKey(std::string(64, '0'));
    EXPECT_NE(WhyNot().find(row.says), std::string::npos) << row.name << ": " << WhyNot();
    for (const auto& entry : std::filesystem::directory_iterator(folder_))
      std::filesystem::remove(entry.path());
  }
}

TEST_F(StorageTest, AnOlderStoreLearnsItsKeyWhenItIsOpened) {
  Seal();
  ForgetItsKey();
  ASSERT_TRUE(Open().ok());
  WriteKey(std::string(64, '0'));
  EXPECT_NE(WhyNot().find("what it is known by"), std::string::npos) << WhyNot();
}

TEST_F(StorageTest, AMistypedKeyFileOfAStoreWithoutRevisionsIsNotMade) {
  ASSERT_TRUE(Open().ok());
  options_.secrets_key_file = folder_ + "/secret.key";
  EXPECT_NE(WhyNot().find("there is no such file, and the store is not new (revision 0)"), std::string::npos);
  EXPECT_FALSE(std::filesystem::exists(options_.secrets_key_file));
}

TEST_F(StorageTest, ANewStoreIsTold) {
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(log_, base::Concat("a new store was made at ", *options_.store_file, "\n"));
  ASSERT_TRUE(Open().ok());
  Seal();
  options_.store_file.reset();
  ASSERT_TRUE(Open().ok());
  EXPECT_EQ(log_, base::Concat("a new store was made at ", folder_, "/portico.db\n"));
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
