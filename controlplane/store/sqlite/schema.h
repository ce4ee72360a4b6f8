#ifndef PORTICO_CONTROLPLANE_STORE_SQLITE_SCHEMA_H_
#define PORTICO_CONTROLPLANE_STORE_SQLITE_SCHEMA_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "controlplane/store/sqlite/database.h"
#include "controlplane/store/store.h"

namespace portico::store::sqlite {

// Makes a fresh file a store, brings an older one up to kSchema, and checks what it finds (`path` is for the errors).
absl::Status BringUp(Database& database, const std::string& path);

// Only what BringUp checks, changing nothing: of a copy that is about to be restored.
absl::Status CheckStore(const Database& database, const std::string& path);

absl::StatusOr<Head> ReadHead(const Database& database);

absl::Status WriteEpoch(Database& database, const std::string& epoch);

}  // namespace portico::store::sqlite

#endif  // PORTICO_CONTROLPLANE_STORE_SQLITE_SCHEMA_H_
