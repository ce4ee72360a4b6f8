#include "controlplane/storage.h"

#include <unistd.h>

#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/crypto/sealer.h"
#include "controlplane/storage_key.h"
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

// Where the store is, whatever the folder that the process was started in.
std::string WholePath(const std::string& path) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(path, error);
  return error ? path : whole.string();
}

absl::StatusOr<std::unique_ptr<change::Changes>> OpenMemory(const Options& options,
                                                            const check::KeyPairChecker& key_pairs,
                                                            change::Changes::Clock clock) {
  return change::Changes::Open(store::memory::Open(), change::Codec(std::nullopt), key_pairs, std::move(clock),
                               {.revisions_kept = options.revisions_kept});
}

}  // namespace

absl::StatusOr<std::unique_ptr<change::Changes>> OpenChanges(const Options& options,
                                                             const check::KeyPairChecker& key_pairs,
                                                             change::Changes::Clock clock, const StorageLog& log) {
  if (!options.store_file) return OpenMemory(options, key_pairs, std::move(clock));
  const bool is_new = ::access(options.store_file->c_str(), F_OK) != 0;
  absl::StatusOr<std::unique_ptr<store::Store>> opened = store::sqlite::Open(*options.store_file);
  if (!opened.ok()) return Of("--store=sqlite: ", opened.status());
  store::Store& store = **opened;  // the changes' as long as they live
  const absl::StatusOr<openssl::Sealer> sealer = OpenSecretsKey(options.secrets_key_file, store);
  if (!sealer.ok()) return sealer.status();
  const change::Codec codec(*sealer);
  absl::StatusOr<std::unique_ptr<change::Changes>> changes = change::Changes::Open(
      *std::move(opened), codec, key_pairs, std::move(clock), {.revisions_kept = options.revisions_kept});
  if (!changes.ok()) return changes;
  bool has_secret = false;
  (*changes)->Now()->configuration.ForEach("Secret", [&has_secret](const auto&, const auto&) { has_secret = true; });
  const absl::Status kept = KeepSecretsKey(options.secrets_key_file, has_secret, codec, *sealer, store);
  if (!kept.ok()) return kept;
  if (is_new) log(Concat("a new store was made at ", WholePath(*options.store_file)));
  return changes;
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
