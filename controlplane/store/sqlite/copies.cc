// Backup and Restore.
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>

#include "api/base/files.h"
#include "api/base/text.h"
#include "controlplane/store/epoch.h"
#include "controlplane/store/sqlite/database.h"
#include "controlplane/store/sqlite/file.h"
#include "controlplane/store/sqlite/schema.h"
#include "controlplane/store/sqlite/sqlite_store.h"

namespace portico::store::sqlite {
namespace {

using base::Concat;
using base::ToAbsl;

constexpr int kBusyMilliseconds = 5000;

bool Exists(const std::string& path) {
  return access(path.c_str(), F_OK) == 0;
}

absl::StatusOr<Database> OpenChecked(const std::string& path) {
  if (!Exists(path)) return absl::NotFoundError(ToAbsl(Concat(path, ": there is no such file")));
  absl::StatusOr<Database> database = Database::Open(path, /*read_only=*/true);
  if (!database.ok()) return database.status();
  if (absl::Status status = CheckStore(*database, path); !status.ok()) return status;
  return database;
}

// SQLite's own copying, page by page under a read lock; it waits for who writes (kManners' busy_timeout does not reach
// connections that were opened only for this).
absl::Status CopyPages(const Database& from, Database& to) {
  sqlite3_busy_timeout(from.raw(), kBusyMilliseconds);
  sqlite3_busy_timeout(to.raw(), kBusyMilliseconds);
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (backup == nullptr) return StatusOf(sqlite3_errcode(to.raw()), to.raw());
  const int code = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);  // says nothing of a lock that was not to be had
  if (code == SQLITE_DONE) return StatusOf(finished, to.raw());
  return StatusOf(code == SQLITE_OK ? SQLITE_BUSY : code, nullptr);
}

// A copy of `from` in the new file `to`, which is good once this has returned.
absl::Status CopyInto(const std::string& from, const std::string& to, bool new_epoch) {
  const absl::StatusOr<Database> source = OpenChecked(from);
  if (!source.ok()) return source.status();
  if (absl::Status status = MakePrivate(to); !status.ok()) return status;
  absl::StatusOr<Database> copy = Database::Open(to, /*read_only=*/false);
  if (!copy.ok()) return copy.status();
  if (absl::Status status = CopyPages(*source, *copy); !status.ok()) return status;
  // A copy is one file: nothing of it stays in a log beside it.
  if (absl::Status status = copy->Execute("PRAGMA journal_mode = DELETE"); !status.ok()) return status;
  if (new_epoch) {
    if (absl::Status status = WriteEpoch(*copy, NewEpoch()); !status.ok()) return status;
  }
  if (absl::Status status = CheckStore(*copy, to); !status.ok()) return status;
  return ReadHead(*copy).status();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : FileError(from, "be renamed");
}

// Where an old store goes: the first name that no other one has.
std::string AsideName(const std::string& path) {
  for (int number = 1;; ++number) {
    std::string name = Concat(path, ".replaced-", number);
    if (!Exists(name)) return name;
  }
}

// The whole of an old store goes aside, its log before it: what is cut off goes on where it was.
absl::Status SetAside(const std::string& path) {
  const std::string aside = AsideName(path);
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (!Exists(path + suffix)) continue;
    if (absl::Status status = Rename(path + suffix, aside + suffix); !status.ok()) return status;
  }
  return absl::OkStatus();
}

// The copy is whole before it has its name.
absl::Status CopyAs(const std::string& from, const std::string& to, bool new_epoch) {
  const std::string partial = to + ".partial";
  unlink(partial.c_str());
  absl::Status status = CopyInto(from, partial, new_epoch);
  if (status.ok()) status = Rename(partial, to);
  if (!status.ok()) unlink(partial.c_str());
  return status.ok() ? base::SyncFolderOf(to) : status;
}

}  // namespace

absl::Status Backup(const std::string& from, const std::string& to) {
  if (Exists(to)) return absl::AlreadyExistsError(ToAbsl(Concat(to, " is there already; a backup overwrites nothing")));
  return CopyAs(from, to, /*new_epoch=*/false);
}

absl::Status Restore(const std::string& from, const std::string& to) {
  const absl::StatusOr<FileLock> lock = FileLock::Take(to);
  if (!lock.ok()) return lock.status();
  // From here until the last rename Open refuses the store, should this be cut short.
  const std::string restoring = to + kRestoring;
  absl::Status status = CopyAs(from, restoring, /*new_epoch=*/true);
  if (status.ok()) status = SetAside(to);
  if (status.ok()) status = Rename(restoring, to);
  return status.ok() ? base::SyncFolderOf(to) : status;
}

}  // namespace portico::store::sqlite
