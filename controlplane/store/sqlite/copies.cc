// Backup and Restore.
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>

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

// SQLite's own copying, page by page under a read lock.
absl::Status CopyPages(const Database& from, Database& to) {
  sqlite3_backup* backup = sqlite3_backup_init(to.raw(), "main", from.raw(), "main");
  if (backup == nullptr) return StatusOf(sqlite3_errcode(to.raw()), to.raw());
  sqlite3_backup_step(backup, -1);
  return StatusOf(sqlite3_backup_finish(backup), to.raw());
}

// A copy of `from` in the new file `to`.
absl::Status CopyInto(const std::string& from, const std::string& to, bool new_epoch) {
  const absl::StatusOr<Database> source = OpenChecked(from);
  if (!source.ok()) return source.status();
  if (absl::Status status = MakePrivate(to); !status.ok()) return status;
  absl::StatusOr<Database> copy = Database::Open(to, /*read_only=*/false);
  if (!copy.ok()) return copy.status();
  if (absl::Status status = CopyPages(*source, *copy); !status.ok()) return status;
  // A copy is one file: nothing of it stays in a log beside it.
  if (absl::Status status = copy->Execute("PRAGMA journal_mode = DELETE"); !status.ok()) return status;
  return new_epoch ? WriteEpoch(*copy, NewEpoch()) : absl::OkStatus();
}

absl::Status Rename(const std::string& from, const std::string& to) {
  return std::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus() : FileError(from, "be renamed");
}

// The whole of an old store goes aside: its write-ahead log belongs to it.
absl::Status SetAside(const std::string& path) {
  for (const char* suffix : {"", "-wal", "-shm"}) {
    if (!Exists(path + suffix)) continue;
    if (absl::Status status = Rename(path + suffix, path + ".replaced" + suffix); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status Backup(const std::string& from, const std::string& to) {
  if (Exists(to)) return absl::AlreadyExistsError(ToAbsl(Concat(to, " is there already; a backup overwrites nothing")));
  absl::Status status = CopyInto(from, to, /*new_epoch=*/false);
  if (!status.ok()) unlink(to.c_str());
  return status;
}

absl::Status Restore(const std::string& from, const std::string& to) {
  const absl::StatusOr<FileLock> lock = FileLock::Take(to);
  if (!lock.ok()) return lock.status();
  const std::string fresh = to + ".restoring";
  unlink(fresh.c_str());
  absl::Status status = CopyInto(from, fresh, /*new_epoch=*/true);
  if (status.ok()) status = SetAside(to);
  if (status.ok()) status = Rename(fresh, to);
  if (!status.ok()) unlink(fresh.c_str());
  return status;
}

}  // namespace portico::store::sqlite
