#include "controlplane/store/sqlite/sqlite_store.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "api/base/text.h"
#include "controlplane/store/sqlite/database.h"
#include "controlplane/store/store_contract.h"
#include "gtest/gtest.h"

namespace portico::store {
namespace {

// A fresh folder; gone with the test.
class Folder {
 public:
  Folder() : path_(base::Concat(testing::TempDir(), "/sqlite_store_XXXXXX")) {
    EXPECT_NE(mkdtemp(path_.data()), nullptr);
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A store whose folder lives as long as it.
class StoreInFolder final : public Store {
 public:
  Head head() const override { return store_->head(); }
  absl::StatusOr<uint64_t> Commit(uint64_t expected, const std::vector<Write>& writes,
                                  std::string_view record) override {
    return store_->Commit(expected, writes, record);
  }
  absl::Status Read(uint64_t revision, const Visitor& visit) const override { return store_->Read(revision, visit); }
  absl::StatusOr<std::optional<Entry>> Find(std::string_view key, uint64_t revision) const override {
    return store_->Find(key, revision);
  }
  absl::StatusOr<std::vector<Record>> History(uint64_t before, size_t limit) const override {
    return store_->History(before, limit);
  }
  absl::Status Forget(uint64_t oldest) override { return store_->Forget(oldest); }
  absl::StatusOr<std::optional<std::string>> Fact(std::string_view name) const override { return store_->Fact(name); }
  absl::Status SetFact(std::string_view name, std::string_view value) override { return store_->SetFact(name, value); }

 private:
  Folder folder_;
  std::unique_ptr<Store> store_ = *sqlite::Open(folder_ / "portico.db");
};

}  // namespace

INSTANTIATE_TEST_SUITE_P(Sqlite, StoreContract, testing::Values([] { return std::make_unique<StoreInFolder>(); }));

namespace sqlite {
namespace {

class SqliteStoreTest : public testing::Test {
 protected:
  absl::Status OpenError() { return Open(path_).status(); }

  void Write(const std::string& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

  Folder folder_;
  const std::string path_ = folder_ / "portico.db";
};

TEST_F(SqliteStoreTest, ARevisionOutlivesTheProcess) {
  std::string epoch;
  {
    const auto store = *Open(path_);
    ASSERT_TRUE(store->Commit(0, {{"a", "1"}}, "first").ok());
    ASSERT_TRUE(store->SetFact("key", "value").ok());
    epoch = store->head().epoch;
  }
  const auto store = *Open(path_);
  EXPECT_EQ(store->head().epoch, epoch);
  EXPECT_EQ(store->head().revision, 1u);
  EXPECT_EQ((*store->Find("a", 1))->value, "1");
  EXPECT_EQ(*store->Fact("key"), "value");
}

TEST_F(SqliteStoreTest, TheFilesAreItsOwnersAlone) {
  const auto store = *Open(path_);
  ASSERT_TRUE(store->Commit(0, {{"a", "1"}}, "").ok());
  for (const char* suffix : {"", "-wal", "-shm", ".lock"}) {
    struct stat status{};
    ASSERT_EQ(stat((path_ + suffix).c_str(), &status), 0) << suffix;
    EXPECT_EQ(status.st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteStoreTest, OneProcessAtATime) {
  auto store = *Open(path_);
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(Restore(path_, path_).code(), absl::StatusCode::kUnavailable);
  store.reset();
  EXPECT_TRUE(Open(path_).ok());
}

TEST_F(SqliteStoreTest, WhatIsNoStoreIsRefusedAndLeftAlone) {
  const std::string text = "this is no database, but somebody's only copy of something. " + std::string(2000, 'x');
  Write(path_, text);
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kFailedPrecondition) << OpenError();
  std::ifstream file(path_, std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), text);
}

TEST_F(SqliteStoreTest, AnotherProgramsDatabaseIsRefused) {
  ASSERT_TRUE(Database::Open(path_, false)->Execute("CREATE TABLE t (x)").ok());
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(OpenError().message().find("not a store of Portico's"), absl::string_view::npos) << OpenError();
}

TEST_F(SqliteStoreTest, ANewerSchemaIsRefusedByItsNumber) {
  ASSERT_TRUE(Open(path_).ok());
  ASSERT_TRUE(Database::Open(path_, false)->Execute("PRAGMA user_version = 7").ok());
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_NE(OpenError().message().find("schema 7; this one knows 1"), absl::string_view::npos) << OpenError();
}

TEST_F(SqliteStoreTest, DamageIsFoundWhenItIsOpened) {
  {
    const auto store = *Open(path_);
    for (uint64_t i = 0; i < 50; ++i) {
      ASSERT_TRUE(store->Commit(i, {{base::Concat("key", i), std::string(3000, 'v')}}, "").ok());
    }
  }
  std::fstream file(path_, std::ios::binary | std::ios::in | std::ios::out);
  for (const int page : {5, 9, 17}) {
    file.seekp(page * 4096);
    file << std::string(64, '\xff');
  }
  file.close();
  EXPECT_EQ(OpenError().code(), absl::StatusCode::kDataLoss) << OpenError();
}

TEST_F(SqliteStoreTest, AFolderThatIsNotThereIsNamed) {
  const absl::Status status = Open(folder_ / "nowhere/portico.db").status();
  EXPECT_NE(status.message().find("nowhere/portico.db.lock: cannot be opened: No such file"), absl::string_view::npos)
      << status;
}

TEST_F(SqliteStoreTest, ABackupIsMadeWhileTheStoreIsWritten) {
  const auto store = *Open(path_);
  ASSERT_TRUE(store->Commit(0, {{"a", "1"}}, "").ok());
  const std::string copy = folder_ / "copy.db";
  ASSERT_TRUE(Backup(path_, copy).ok()) << Backup(path_, copy);
  ASSERT_TRUE(store->Commit(1, {{"a", "2"}}, "").ok());
  EXPECT_EQ(Backup(path_, copy).code(), absl::StatusCode::kAlreadyExists);
  const auto copied = *Open(copy);
  EXPECT_EQ(copied->head().revision, 1u);
  EXPECT_EQ((*copied->Find("a", 1))->value, "1");
}

TEST_F(SqliteStoreTest, RestoreMakesANewEpochAndKeepsWhatWasThere) {
  const std::string copy = folder_ / "copy.db";
  std::string epoch;
  {
    const auto store = *Open(path_);
    ASSERT_TRUE(store->Commit(0, {{"a", "1"}}, "").ok());
    ASSERT_TRUE(store->SetFact("key", "value").ok());
    ASSERT_TRUE(Backup(path_, copy).ok());
    ASSERT_TRUE(store->Commit(1, {{"a", "2"}}, "").ok());
    epoch = store->head().epoch;
  }
  ASSERT_TRUE(Restore(copy, path_).ok());
  {
    const auto store = *Open(path_);
    EXPECT_EQ(store->head().revision, 1u);
    EXPECT_NE(store->head().epoch, epoch);
    EXPECT_EQ(*store->Fact("key"), "value");
    EXPECT_EQ((*store->Find("a", 1))->value, "1");
  }
  EXPECT_EQ((*Open(path_ + ".replaced-1"))->head().revision, 2u);
}

TEST_F(SqliteStoreTest, ADamagedCopyIsNotRestored) {
  ASSERT_TRUE(Open(path_).ok());
  const std::string copy = folder_ / "copy.db";
  Write(copy, "nothing of the kind");
  EXPECT_FALSE(Restore(copy, path_).ok());
  EXPECT_FALSE(Restore(folder_ / "missing.db", path_).ok());
  EXPECT_TRUE(Open(path_).ok());
  EXPECT_FALSE(std::filesystem::exists(path_ + ".replaced-1"));
  EXPECT_FALSE(Backup(copy, folder_ / "copy of a copy.db").ok());
  EXPECT_FALSE(std::filesystem::exists(folder_ / "copy of a copy.db"));
}

TEST_F(SqliteStoreTest, ARestoreThatWasCutShortIsDoneAgain) {
  const std::string copy = folder_ / "copy.db";
  {
    const auto store = *Open(path_);
    ASSERT_TRUE(store->Commit(0, {{"a", "1"}}, "").ok());
    ASSERT_TRUE(Backup(path_, copy).ok());
    ASSERT_TRUE(store->Commit(1, {{"a", "2"}}, "").ok());
  }
  // Cut between the two renames: there is no store, and an empty one must not come in its place.
  std::filesystem::rename(path_, path_ + ".replaced-1");
  Write(path_ + ".restoring", "whatever");
  EXPECT_NE(OpenError().message().find("a restore was cut short"), absl::string_view::npos) << OpenError();
  EXPECT_FALSE(std::filesystem::exists(path_));
  ASSERT_TRUE(Restore(copy, path_).ok());
  EXPECT_EQ((*Open(path_))->head().revision, 1u);
  EXPECT_EQ((*Open(path_ + ".replaced-1"))->head().revision, 2u);
  ASSERT_TRUE(Restore(copy, path_).ok());  // what was replaced first stays
  EXPECT_EQ((*Open(path_ + ".replaced-1"))->head().revision, 2u);
  EXPECT_EQ((*Open(path_ + ".replaced-2"))->head().revision, 1u);
}

// Commits as fast as it can, and tells each revision once it is made.
[[noreturn]] void CommitForEver(const std::string& path, int out) {
  const auto store = Open(path);
  if (!store.ok()) _exit(1);
  for (uint64_t revision = (*store)->head().revision;;) {
    const std::string value = base::Concat(revision + 1);
    const absl::StatusOr<uint64_t> made = (*store)->Commit(revision, {{"a", value}, {"b", value}}, value);
    if (!made.ok() || write(out, &*made, sizeof *made) != sizeof *made) _exit(1);
    revision = *made;
  }
}

TEST_F(SqliteStoreTest, WhatWasAcknowledgedSurvivesKillNine) {
  uint64_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t child = fork();
    if (child == 0) CommitForEver(path_, ends[1]);
    close(ends[1]);
    const uint64_t enough = acknowledged + 20;
    uint64_t revision = 0;
    while (acknowledged < enough && read(ends[0], &revision, sizeof revision) == sizeof revision)
      acknowledged = revision;
    kill(child, SIGKILL);
    ASSERT_EQ(waitpid(child, nullptr, 0), child);
    while (read(ends[0], &revision, sizeof revision) == sizeof revision)
      acknowledged = revision;
    close(ends[0]);
    ASSERT_GE(acknowledged, enough);
    const auto store = *Open(path_);
    const uint64_t head = store->head().revision;
    EXPECT_GE(head, acknowledged);
    EXPECT_LE(head, acknowledged + 1);  // made, but not told
    for (const char* key : {"a", "b"})
      EXPECT_EQ((*store->Find(key, head))->value, base::Concat(head));
    acknowledged = head;
  }
}

}  // namespace
}  // namespace sqlite
}  // namespace portico::store
