#include "controlplane/storage.h"

#include <unistd.h>

#include <optional>
#include <utility>

#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/crypto/sealer.h"
#include "controlplane/store/memory/memory_store.h"
#include "controlplane/store/sqlite/sqlite_store.h"
#include "controlplane/store/store.h"

namespace portico::controlplane {
namespace {

using base::Concat;
using base::ToAbsl;

absl::Status Of(std::string_view flag, const absl::Status& status) {
  return absl::Status(status.code(), ToAbsl(Concat(flag, base::ToStd(status.message()))));
}

absl::StatusOr<openssl::Sealer> OpenSealer(const std::string& path, const store::Head& head) {
  // What is stored may be sealed: a new key could open none of it.
  if (head.revision != 0 && access(path.c_str(), F_OK) != 0) {
    return absl::FailedPreconditionError(
        ToAbsl(Concat("--secrets_key_file=", path, ": there is no such file, and the store is not new (revision ",
                      head.revision, "); name the file that was made with the store")));
  }
  absl::StatusOr<openssl::Sealer> sealer = openssl::Sealer::FromFile(path);
  if (!sealer.ok()) return Of("--secrets_key_file=", sealer.status());
  return sealer;
}

}  // namespace

absl::StatusOr<std::unique_ptr<change::Changes>> OpenChanges(const Options& options,
                                                             const check::KeyPairChecker& key_pairs,
                                                             change::Changes::Clock clock) {
  std::unique_ptr<store::Store> store;
  std::optional<openssl::Sealer> sealer;
  if (options.store_file) {
    absl::StatusOr<std::unique_ptr<store::Store>> opened = store::sqlite::Open(*options.store_file);
    if (!opened.ok()) return Of("--store=sqlite: ", opened.status());
    store = *std::move(opened);
    absl::StatusOr<openssl::Sealer> key = OpenSealer(options.secrets_key_file, store->head());
    if (!key.ok()) return key.status();
    sealer = *std::move(key);
  } else {
    store = store::memory::Open();
  }
  return change::Changes::Open(std::move(store), change::Codec(std::move(sealer)), key_pairs, std::move(clock),
                               {.revisions_kept = options.revisions_kept});
}

absl::StatusOr<std::string> CopyStore(const Options& options) {
  const std::string& file = *options.store_file;
  if (!options.backup_to.empty()) {
    const absl::Status status = store::sqlite::Backup(file, options.backup_to);
    if (!status.ok()) return Of(Concat("--backup=", options.backup_to, ": "), status);
    return Concat(options.backup_to, " is a copy of ", file, "; keep a copy of its --secrets_key_file too, elsewhere");
  }
  const absl::Status status = store::sqlite::Restore(options.restore_from, file);
  if (!status.ok()) return Of(Concat("--restore=", options.restore_from, ": "), status);
  return Concat(file, " is restored from ", options.restore_from, "; a store that was there is kept beside it");
}

}  // namespace portico::controlplane
