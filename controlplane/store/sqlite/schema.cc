#include "controlplane/store/sqlite/schema.h"

#include <optional>

#include "api/base/text.h"
#include "controlplane/store/epoch.h"
#include "controlplane/store/sqlite/sqlite_store.h"

namespace portico::store::sqlite {
namespace {

using base::Concat;
using base::ToAbsl;

constexpr int64_t kApplication = 0x506f7274;  // "Port" in ASCII: SQLite's field for whose file it is

// WAL: readers (a backup) do not stop the writer. FULL: what was committed is on the disk.
constexpr const char* kManners = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA busy_timeout = 5000;";

constexpr const char* kTables = R"sql(
  CREATE TABLE fact (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
  CREATE TABLE revision (number INTEGER PRIMARY KEY, record BLOB NOT NULL);
  CREATE TABLE version (
    key BLOB NOT NULL, revision INTEGER NOT NULL, created INTEGER NOT NULL,
    value BLOB,  -- NULL: gone since this revision
    PRIMARY KEY (key, revision)) WITHOUT ROWID;
  CREATE INDEX version_by_revision ON version (revision);
)sql";

absl::StatusOr<int64_t> Pragma(const Database& database, std::string_view name) {
  const absl::StatusOr<std::optional<int64_t>> value = database.QueryNumber(Concat("PRAGMA ", name));
  if (!value.ok()) return value.status();
  return value->value_or(0);
}

absl::Status Make(Database& database) {
  const std::string sql =
      Concat("BEGIN IMMEDIATE;", kTables, "PRAGMA application_id = ", kApplication, "; PRAGMA user_version = ", kSchema,
             "; INSERT INTO fact VALUES ('epoch', '", NewEpoch(), "'); COMMIT;");
  absl::Status status = database.Execute(sql);
  if (!status.ok()) database.Execute("ROLLBACK").IgnoreError();
  return status;
}

absl::StatusOr<bool> IsFresh(const Database& database) {
  const absl::StatusOr<std::optional<int64_t>> tables = database.QueryNumber("SELECT count(*) FROM sqlite_master");
  if (!tables.ok()) return tables.status();
  return tables->value_or(0) == 0;
}

absl::Status CheckWhole(const Database& database, const std::string& path) {
  Statement statement = database.Prepare("PRAGMA quick_check(1)");
  const absl::StatusOr<bool> row = statement.Step();
  if (!row.ok()) return row.status();
  const std::string verdict = *row ? statement.Bytes(0) : "no verdict";
  if (verdict == "ok") return absl::OkStatus();
  return absl::DataLossError(ToAbsl(Concat(path, " is damaged (", verdict, "); restore a backup")));
}

}  // namespace

absl::Status CheckStore(const Database& database, const std::string& path) {
  const absl::StatusOr<int64_t> application = Pragma(database, "application_id");
  if (!application.ok()) return application.status();
  if (*application != kApplication) {
    return absl::FailedPreconditionError(ToAbsl(Concat(path, " is a database, but not a store of Portico's")));
  }
  const absl::StatusOr<int64_t> schema = Pragma(database, "user_version");
  if (!schema.ok()) return schema.status();
  if (*schema > kSchema) {
    return absl::FailedPreconditionError(
        ToAbsl(Concat(path, " was written by a newer release (schema ", *schema, "; this one knows ", kSchema,
                      "): upgrade, or restore a backup")));
  }
  return CheckWhole(database, path);
}

absl::Status BringUp(Database& database, const std::string& path) {
  const absl::StatusOr<bool> fresh = IsFresh(database);
  if (!fresh.ok()) return fresh.status();
  if (!*fresh) {
    if (absl::Status status = CheckStore(database, path); !status.ok()) return status;
  }
  if (absl::Status status = database.Execute(kManners); !status.ok()) return status;
  return *fresh ? Make(database) : absl::OkStatus();
}

absl::StatusOr<Head> ReadHead(const Database& database) {
  Head head;
  Statement epoch = database.Prepare("SELECT value FROM fact WHERE name = 'epoch'");
  const absl::StatusOr<bool> row = epoch.Step();
  if (!row.ok()) return row.status();
  if (!*row) return absl::DataLossError("the store has no epoch; restore a backup");
  head.epoch = epoch.Bytes(0);
  for (const auto& [sql, number] : {std::pair{"SELECT max(number) FROM revision", &head.revision},
                                    std::pair{"SELECT min(number) FROM revision", &head.oldest}}) {
    const absl::StatusOr<std::optional<int64_t>> value = database.QueryNumber(sql);
    if (!value.ok()) return value.status();
    *number = static_cast<uint64_t>(value->value_or(0));
  }
  return head;
}

absl::Status WriteEpoch(Database& database, const std::string& epoch) {
  return database.Prepare("UPDATE fact SET value = ?1 WHERE name = 'epoch'").Bind(epoch).Run();
}

}  // namespace portico::store::sqlite
