#include "controlplane/store/sqlite/sqlite_store.h"

#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/base/text.h"
#include "controlplane/store/sqlite/database.h"
#include "controlplane/store/sqlite/file.h"
#include "controlplane/store/sqlite/schema.h"
#include "controlplane/store/writes.h"

namespace portico::store::sqlite {
namespace {

// The newest version of each key that is not newer than ?1; the keys that were gone by then are left out.
constexpr std::string_view kReadAll =
    "SELECT key, value, revision, created FROM version AS v WHERE value IS NOT NULL AND revision = "
    "(SELECT max(revision) FROM version WHERE key = v.key AND revision <= ?1) ORDER BY key";
constexpr std::string_view kFind =
    "SELECT key, value, revision, created FROM version WHERE key = ?1 AND revision <= ?2 ORDER BY revision DESC LIMIT "
    "1";
// What no kept revision sees: versions that another one had followed by ?1, and keys that were gone by then.
constexpr std::string_view kForgetVersions =
    "DELETE FROM version WHERE revision < ?1 AND EXISTS "
    "(SELECT 1 FROM version AS later WHERE later.key = version.key AND later.revision > version.revision "
    "AND later.revision <= ?1)";
constexpr std::string_view kForgetGone = "DELETE FROM version WHERE value IS NULL AND revision <= ?1";

int64_t Signed(uint64_t revision) {
  return static_cast<int64_t>(revision);
}
uint64_t Unsigned(int64_t number) {
  return static_cast<uint64_t>(number);
}

// Apart from the facts that are the store's own, such as its epoch.
std::string FactName(std::string_view name) {
  return base::Concat("user.", name);
}

Entry EntryOf(const Statement& row) {
  return {row.Bytes(0), row.Bytes(1), Unsigned(row.Number(2)), Unsigned(row.Number(3))};
}

class SqliteStore final : public Store {
 public:
  SqliteStore(FileLock lock, Database database, Database reader, Head head)
      : lock_(std::move(lock)), database_(std::move(database)), head_(std::move(head)), reader_(std::move(reader)) {}

  Head head() const override {
    absl::MutexLock lock(&mutex_);
    return head_;
  }

  absl::StatusOr<uint64_t> Commit(uint64_t expected, const std::vector<Write>& writes,
                                  std::string_view record) override {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckHead(head_, expected); !status.ok()) return status;
    absl::Status trouble;
    const auto is_there = [this, &trouble](const std::string& key) {
      mutex_.AssertHeld();
      const absl::StatusOr<std::optional<Entry>> found = FindAt(key, head_.revision);
      if (!found.ok()) trouble = found.status();
      return found.ok() && found->has_value();
    };
    absl::Status checked = CheckWrites(writes, is_there);
    if (!trouble.ok()) return trouble;
    if (!checked.ok()) return checked;
    if (absl::Status status = Transact([&] {
          mutex_.AssertHeld();
          return Insert(expected + 1, writes, record);
        });
        !status.ok()) {
      return status;
    }
    head_.revision = expected + 1;
    if (head_.oldest == 0) head_.oldest = head_.revision;
    return head_.revision;
  }

  absl::Status Read(uint64_t revision, const Visitor& visit) const override {
    absl::MutexLock lock(&reading_);
    // All that it reads is as of one moment, whatever is committed or forgotten meanwhile.
    if (absl::Status status = reader_.Prepare("BEGIN").Run(); !status.ok()) return status;
    const absl::Status status = ReadWithin(revision, visit);
    reader_.Prepare("COMMIT").Run().IgnoreError();  // nothing was written
    return status;
  }

  absl::StatusOr<std::optional<Entry>> Find(std::string_view key, uint64_t revision) const override {
    absl::MutexLock lock(&mutex_);
    if (absl::Status status = CheckKept(head_, revision); !status.ok()) return status;
    return FindAt(key, revision);
  }

  absl::StatusOr<std::vector<Record>> History(uint64_t before, size_t limit) const override {
    absl::MutexLock lock(&mutex_);
    Statement statement =
        database_.Prepare("SELECT number, record FROM revision WHERE number < ?1 ORDER BY number DESC LIMIT ?2");
    statement.Bind(before == 0 ? INT64_MAX : Signed(before)).Bind(static_cast<int64_t>(limit));
    std::vector<Record> records;
    while (true) {
      const absl::StatusOr<bool> row = statement.Step();
      if (!row.ok()) return row.status();
      if (!*row) return records;
      records.push_back({Unsigned(statement.Number(0)), statement.Bytes(1)});
    }
  }

  absl::Status Forget(uint64_t oldest) override {
    absl::MutexLock lock(&mutex_);
    oldest = std::min(oldest, head_.revision);
    if (oldest <= head_.oldest) return absl::OkStatus();
    const auto forget = [&]() -> absl::Status {
      mutex_.AssertHeld();
      for (const std::string_view sql :
           {kForgetVersions, kForgetGone, std::string_view("DELETE FROM revision WHERE number < ?1")}) {
        if (absl::Status status = database_.Prepare(sql).Bind(Signed(oldest)).Run(); !status.ok()) return status;
      }
      return absl::OkStatus();
    };
    if (absl::Status status = Transact(forget); !status.ok()) return status;
    head_.oldest = oldest;
    return absl::OkStatus();
  }

  absl::StatusOr<std::optional<std::string>> Fact(std::string_view name) const override {
    absl::MutexLock lock(&mutex_);
    Statement statement = database_.Prepare("SELECT value FROM fact WHERE name = CAST(?1 AS TEXT)");
    statement.Bind(FactName(name));
    const absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row) return std::nullopt;
    return statement.Bytes(0);
  }

  absl::Status SetFact(std::string_view name, std::string_view value) override {
    absl::MutexLock lock(&mutex_);
    Statement statement = database_.Prepare("INSERT OR REPLACE INTO fact (name, value) VALUES (CAST(?1 AS TEXT), ?2)");
    return statement.Bind(FactName(name)).Bind(value).Run();
  }

 private:
  absl::Status ReadWithin(uint64_t revision, const Visitor& visit) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(reading_) {
    const absl::StatusOr<Head> head = ReadHead(reader_);
    if (!head.ok()) return head.status();
    if (absl::Status status = CheckKept(*head, revision); !status.ok()) return status;
    Statement statement = reader_.Prepare(kReadAll);
    statement.Bind(Signed(revision));
    while (true) {
      const absl::StatusOr<bool> row = statement.Step();
      if (!row.ok()) return row.status();
      if (!*row || !visit(EntryOf(statement))) return absl::OkStatus();
    }
  }

  absl::StatusOr<std::optional<Entry>> FindAt(std::string_view key, uint64_t revision) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Statement statement = database_.Prepare(kFind);
    statement.Bind(key).Bind(Signed(revision));
    const absl::StatusOr<bool> row = statement.Step();
    if (!row.ok()) return row.status();
    if (!*row || statement.IsNull(1)) return std::nullopt;
    return EntryOf(statement);
  }

  absl::Status Insert(uint64_t revision, const std::vector<Write>& writes, std::string_view record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    Statement of_revision = database_.Prepare("INSERT INTO revision (number, record) VALUES (?1, ?2)");
    if (absl::Status status = of_revision.Bind(Signed(revision)).Bind(record).Run(); !status.ok()) return status;
    Statement of_version =
        database_.Prepare("INSERT INTO version (key, revision, created, value) VALUES (?1, ?2, ?3, ?4)");
    for (const Write& write : writes) {
      const absl::StatusOr<std::optional<Entry>> before = FindAt(write.key, revision - 1);
      if (!before.ok()) return before.status();
      const uint64_t created = before->has_value() ? (*before)->created : revision;
      of_version.Bind(write.key).Bind(Signed(revision)).Bind(Signed(created));
      if (write.value.has_value()) {
        of_version.Bind(*write.value);
      } else {
        of_version.BindNull();
      }
      if (absl::Status status = of_version.Run(); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

  // All or nothing. If the disk fails at the end, the file says which it was.
  template <typename Body>
  absl::Status Transact(const Body& body) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    absl::Status status = database_.Execute("BEGIN IMMEDIATE");
    if (!status.ok()) return status;
    status = body();
    if (status.ok()) status = database_.Execute("COMMIT");
    if (status.ok()) return status;
    database_.Execute("ROLLBACK").IgnoreError();  // SQLite may have done it already
    if (const absl::StatusOr<Head> head = ReadHead(database_); head.ok()) head_ = *head;
    return status;
  }

  const FileLock lock_;
  mutable absl::Mutex mutex_;
  Database database_ ABSL_GUARDED_BY(mutex_);
  Head head_ ABSL_GUARDED_BY(mutex_);
  // A connection of its own for what takes long: with a write-ahead log it holds up nobody who writes.
  mutable absl::Mutex reading_;
  Database reader_ ABSL_GUARDED_BY(reading_);
};

}  // namespace

absl::StatusOr<std::unique_ptr<Store>> Open(const std::string& path) {
  absl::StatusOr<FileLock> lock = FileLock::Take(path);
  if (!lock.ok()) return lock.status();
  if (access((path + kRestoring).c_str(), F_OK) == 0) {
    return absl::FailedPreconditionError(
        base::ToAbsl(base::Concat("a restore was cut short: ", path, kRestoring, " is there; run it again")));
  }
  if (absl::Status status = MakePrivate(path); !status.ok()) return status;
  absl::StatusOr<Database> database = Database::Open(path, /*read_only=*/false);
  if (!database.ok()) return database.status();
  if (absl::Status status = BringUp(*database, path); !status.ok()) return status;
  absl::StatusOr<Head> head = ReadHead(*database);
  if (!head.ok()) return head.status();
  absl::StatusOr<Database> reader = Database::Open(path, /*read_only=*/true);
  if (!reader.ok()) return reader.status();
  if (absl::Status status = reader->Execute("PRAGMA busy_timeout = 5000"); !status.ok()) return status;
  return std::make_unique<SqliteStore>(*std::move(lock), *std::move(database), *std::move(reader), *std::move(head));
}

}  // namespace portico::store::sqlite
