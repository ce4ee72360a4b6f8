#ifndef PORTICO_CONTROLPLANE_STORE_SQLITE_DATABASE_H_
#define PORTICO_CONTROLPLANE_STORE_SQLITE_DATABASE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

struct sqlite3;
struct sqlite3_stmt;

namespace portico::store::sqlite {

// A row under the cursor of a statement, or a statement whose places are being filled. Places and columns count from 0.
// Errors are kept: Step and Run return the first one.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);

  Statement& Bind(int64_t value);
  Statement& Bind(std::string_view bytes);  // as a BLOB
  Statement& BindNull();

  // True: there is a row. False: no more.
  absl::StatusOr<bool> Step();
  // For what has no rows; may be filled and run again.
  absl::Status Run();

  int64_t Number(int column) const;
  std::string Bytes(int column) const;
  bool IsNull(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };

  void Keep(int code);

  sqlite3* const database_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int next_place_ = 1;
  int error_ = 0;
};

// An open file. One thread at a time.
class Database {
 public:
  static absl::StatusOr<Database> Open(const std::string& path, bool read_only);

  // Statements without rows, parted by semicolons.
  absl::Status Execute(const std::string& sql);
  Statement Prepare(std::string_view sql) const { return Statement(database_.get(), sql); }
  // The one number of the one row that a query has. nullopt: no row.
  absl::StatusOr<std::optional<int64_t>> QueryNumber(std::string_view sql) const;

  sqlite3* raw() const { return database_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* database) const;
  };

  explicit Database(sqlite3* database) : database_(database) {}

  std::unique_ptr<sqlite3, Close> database_;
};

// What SQLite's result code means, with the words of the last error of `database`.
absl::Status StatusOf(int code, sqlite3* database);

}  // namespace portico::store::sqlite

#endif  // PORTICO_CONTROLPLANE_STORE_SQLITE_DATABASE_H_
