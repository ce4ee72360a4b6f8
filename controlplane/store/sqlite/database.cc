#include "controlplane/store/sqlite/database.h"

#include <sqlite3.h>

#include "api/base/text.h"

namespace portico::store::sqlite {

absl::Status StatusOf(int code, sqlite3* database) {
  if (code == SQLITE_OK || code == SQLITE_DONE || code == SQLITE_ROW) return absl::OkStatus();
  const std::string text =
      base::Concat("SQLite: ", database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return absl::UnavailableError(base::ToAbsl(text));
    case SQLITE_CORRUPT:
      return absl::DataLossError(base::ToAbsl(text));
    case SQLITE_NOTADB:
      return absl::FailedPreconditionError(base::ToAbsl(text));
    case SQLITE_FULL:
      return absl::ResourceExhaustedError(base::ToAbsl(text));
    default:
      return absl::InternalError(base::ToAbsl(text));
  }
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  sqlite3_stmt* statement = nullptr;
  Keep(sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement, nullptr));
  statement_.reset(statement);
}

void Statement::Keep(int code) {
  if (error_ == SQLITE_OK) error_ = code;
}

Statement& Statement::Bind(int64_t value) {
  Keep(sqlite3_bind_int64(statement_.get(), next_place_++, value));
  return *this;
}

Statement& Statement::Bind(std::string_view bytes) {
  // A null pointer would be NULL, not empty bytes.
  const char* data = bytes.empty() ? "" : bytes.data();
  Keep(sqlite3_bind_blob64(statement_.get(), next_place_++, data, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::BindNull() {
  Keep(sqlite3_bind_null(statement_.get(), next_place_++));
  return *this;
}

absl::StatusOr<bool> Statement::Step() {
  if (error_ != SQLITE_OK) return StatusOf(error_, database_);
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return StatusOf(code, database_);
}

absl::Status Statement::Run() {
  const absl::StatusOr<bool> row = Step();
  sqlite3_reset(statement_.get());
  next_place_ = 1;
  return row.status();
}

int64_t Statement::Number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string Statement::Bytes(int column) const {
  const void* data = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return data == nullptr ? "" : std::string(static_cast<const char*>(data), static_cast<size_t>(size));
}

bool Statement::IsNull(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

absl::StatusOr<Database> Database::Open(const std::string& path, bool read_only) {
  sqlite3* raw = nullptr;
  const int flags = read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (absl::Status status = StatusOf(code, raw); !status.ok()) return status;
  sqlite3_extended_result_codes(raw, 1);
  return database;
}

absl::Status Database::Execute(const std::string& sql) {
  return StatusOf(sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr), database_.get());
}

absl::StatusOr<std::optional<int64_t>> Database::QueryNumber(std::string_view sql) const {
  Statement statement = Prepare(sql);
  const absl::StatusOr<bool> row = statement.Step();
  if (!row.ok()) return row.status();
  if (!*row || statement.IsNull(0)) return std::nullopt;
  return statement.Number(0);
}

}  // namespace portico::store::sqlite
