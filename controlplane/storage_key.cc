#include "controlplane/storage_key.h"

#include <unistd.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "api/base/text.h"
#include "api/check/configuration.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/model/encoding.h"

namespace portico::controlplane {
namespace {

using base::Concat;
using base::ToStd;

constexpr std::string_view kFact = "secrets key";  // also the name under which the text is sealed
constexpr std::string_view kText = "this is the key";
constexpr size_t kPage = 1000;  // records that are looked through at a time

template <typename... Pieces>
absl::Status Wrong(const std::string& path, const Pieces&... pieces) {
  return absl::FailedPreconditionError(base::ToAbsl(Concat("--secrets_key_file=", path, ": ", pieces...)));
}

absl::Status NotItsKey(const std::string& path, std::string_view what, const absl::Status& why) {
  return Wrong(path, "is not the key of this store (", what, ": ", ToStd(why.message()),
               "); name the file that was made with the store");
}

// The value of a Secret that a record tells of: what it wrote, or what it took away. nullopt: that is not kept.
absl::StatusOr<std::optional<store::Entry>> SecretOf(const portico::v1::RevisionRecord& record,
                                                     const store::Store& store) {
  for (const portico::v1::ResourceChange& change : record.changes()) {
    if (change.name().kind() != "Secret") continue;
    const bool gone = change.kind() == portico::v1::ResourceChange::DELETED;
    const std::string key = model::StoreKey({change.name().kind(), change.name().namespace_(), change.name().name()});
    const absl::StatusOr<std::optional<store::Entry>> found = store.Find(key, record.revision() - (gone ? 1 : 0));
    if (absl::IsNotFound(found.status())) continue;
    if (!found.ok() || found->has_value()) return found;
  }
  return std::nullopt;
}

// The newest value of a Secret that any kept revision has. nullopt: none has one.
absl::StatusOr<std::optional<store::Entry>> NewestSecret(const store::Store& store) {
  uint64_t before = 0;
  while (true) {
    const absl::StatusOr<std::vector<store::Record>> records = store.History(before, kPage);
    if (!records.ok()) return records.status();
    for (const store::Record& bytes : *records) {
      portico::v1::RevisionRecord record;
      if (!record.ParseFromString(bytes.bytes)) continue;  // whoever asks for the history is told
      const absl::StatusOr<std::optional<store::Entry>> found = SecretOf(record, store);
      if (!found.ok() || found->has_value()) return found;
    }
    if (records->size() < kPage) return std::nullopt;
    before = records->back().revision;
  }
}

}  // namespace

absl::StatusOr<openssl::Sealer> OpenSecretsKey(const std::string& path, const store::Store& store) {
  const absl::StatusOr<std::optional<std::string>> sealed = store.Fact(kFact);
  if (!sealed.ok()) return sealed.status();
  const uint64_t revision = store.head().revision;
  // What is stored may be sealed: a new key could open none of it.
  if ((revision != 0 || sealed->has_value()) && ::access(path.c_str(), F_OK) != 0) {
    return Wrong(path, "there is no such file, and the store is not new (revision ", revision,
                 "); name the file that was made with the store");
  }
  absl::StatusOr<openssl::Sealer> sealer = openssl::Sealer::FromFile(path);
  if (!sealer.ok()) {
    return absl::Status(sealer.status().code(),
                        base::ToAbsl(Concat("--secrets_key_file=", ToStd(sealer.status().message()))));
  }
  if (!sealed->has_value()) return sealer;
  const absl::StatusOr<std::string> text = sealer->Open(kFact, **sealed);
  if (!text.ok()) return NotItsKey(path, "what it is known by", text.status());
  return sealer;
}

absl::Status KeepSecretsKey(const std::string& path, bool is_proven, const change::Codec& codec,
                            const openssl::Sealer& sealer, store::Store& store) {
  const absl::StatusOr<std::optional<std::string>> sealed = store.Fact(kFact);
  if (!sealed.ok() || sealed->has_value()) return sealed.status();
  absl::StatusOr<std::optional<store::Entry>> secret = std::nullopt;
  if (!is_proven) secret = NewestSecret(store);
  if (!secret.ok()) return secret.status();
  if (secret->has_value()) {
    const absl::Status opened = codec.ResourceOf(**secret).status();
    if (!opened.ok()) return NotItsKey(path, Concat("revision ", (*secret)->revision), opened);
  }
  return store.SetFact(kFact, sealer.Seal(kFact, kText));
}

}  // namespace portico::controlplane
