#ifndef PORTICO_CONTROLPLANE_STORE_STORE_H_
#define PORTICO_CONTROLPLANE_STORE_STORE_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portico::store {

// One version of what is stored under a key.
struct Entry {
  std::string key;
  std::string value;
  uint64_t revision = 0;  // that stored this version
  uint64_t created = 0;   // that first stored the key (again, if it was deleted in between)
};

// nullopt: the key goes.
struct Write {
  std::string key;
  std::optional<std::string> value;
};

// Where a store stands.
struct Head {
  // Random, made with the store and again by Restore: names of versions of another life never come back.
  std::string epoch;
  // 0: nothing was ever stored.
  uint64_t revision = 0;
  // The oldest revision that can still be read.
  uint64_t oldest = 0;
};

// What was committed, for the audit: bytes that the writer chose.
struct Record {
  uint64_t revision = 0;
  std::string bytes;
};

// A map from keys to bytes whose every change is one numbered revision, all or nothing, and on disk when Commit returns
// (if the store has a disk). It knows nothing of what the bytes mean. Calls block and may come from any thread, one at
// a time each; readers see whole revisions only, and one that takes long holds up nobody who writes.
//
//   ASSIGN store = sqlite::Open("portico.db");
//   ASSIGN revision = store->Commit(store->head().revision, {{"Route/default/shop", bytes}}, record);
//   store->Read(revision, [](const Entry& entry) { … return true; });
//
// All stores pass store_contract.h.
class Store {
 public:
  using Visitor = std::function<bool(const Entry& entry)>;  // false: no more

  virtual ~Store() = default;
  virtual Head head() const = 0;

  // Makes revision `expected` + 1 of all writes; a key that is not there can't go, and no key is written twice.
  // kAborted: the head is not `expected` (another one wrote). kInvalidArgument: a write that can't be; nothing has
  // changed. Anything else: the disk's trouble, with its words; whether the revision was made is seen by head().
  virtual absl::StatusOr<uint64_t> Commit(uint64_t expected, const std::vector<Write>& writes,
                                          std::string_view record) = 0;

  // Everything as of a revision, in the order of the keys. kNotFound: it is not kept, or not made yet.
  virtual absl::Status Read(uint64_t revision, const Visitor& visit) const = 0;

  // One key as of a revision. nullopt: it was not there. Errors as Read.
  virtual absl::StatusOr<std::optional<Entry>> Find(std::string_view key, uint64_t revision) const = 0;

  // The newest first, below `before` (0: from the head), at most `limit`.
  virtual absl::StatusOr<std::vector<Record>> History(uint64_t before, size_t limit) const = 0;

  // Forgets what only revisions below `oldest` had, and their records. Never the head.
  virtual absl::Status Forget(uint64_t oldest) = 0;

  // A small value beside the revisions, under a name, for whoever opens the store next; backups have it too. nullopt:
  // it was never set. A store that stands before another one may leave facts out.
  virtual absl::StatusOr<std::optional<std::string>> Fact(std::string_view name) const { return std::nullopt; }
  // On disk when it returns. In the place of the one before.
  virtual absl::Status SetFact(std::string_view name, std::string_view value) {
    return absl::UnimplementedError("this store keeps no facts");
  }
};

}  // namespace portico::store

#endif  // PORTICO_CONTROLPLANE_STORE_STORE_H_
