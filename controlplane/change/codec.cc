#include "controlplane/change/codec.h"

#include <memory>

#include "api/base/text.h"
#include "controlplane/model/encoding.h"
#include "controlplane/model/messages.h"

namespace portico::change {
namespace {

using base::Concat;
using model::ChangeKind;
using portico::v1::Resource;

// The first byte of a value says how the rest is to be read.
constexpr char kClear = 0;
constexpr char kSealed = 1;

// With the revision, so that an older version can't be put in the place of a newer one.
std::string SealName(const std::string& key, uint64_t revision) {
  return Concat(key, "@", revision);
}

}  // namespace

std::vector<store::Write> Codec::WritesOf(const model::Step& step) const {
  std::vector<store::Write> writes;
  for (const model::ResourceChange& change : step.changes) {
    if (change.kind == ChangeKind::kUnchanged) continue;
    std::string key = model::StoreKey(change.key);
    const Resource* resource = step.after->configuration.Find(change.key);
    if (resource == nullptr) {
      writes.push_back({std::move(key), std::nullopt});
    } else if (resource->has_secret() && sealer_.has_value()) {
      std::string value = kSealed + sealer_->Seal(SealName(key, step.after->revision), model::Encode(*resource));
      writes.push_back({std::move(key), std::move(value)});
    } else {
      writes.push_back({std::move(key), kClear + model::Encode(*resource)});
    }
  }
  return writes;
}

absl::StatusOr<Resource> Codec::ResourceOf(const store::Entry& entry) const {
  const auto loss = [&entry](std::string_view why) {
    return absl::DataLossError(base::ToAbsl(Concat("stored ", entry.key, ": ", why)));
  };
  if (entry.value.empty() || (entry.value[0] != kClear && entry.value[0] != kSealed)) return loss("has no known form");
  std::string bytes = entry.value.substr(1);
  if (entry.value[0] == kSealed) {
    if (!sealer_.has_value()) return loss("is sealed; name the key with --secrets_key_file");
    absl::StatusOr<std::string> opened = sealer_->Open(SealName(entry.key, entry.revision), bytes);
    if (!opened.ok()) return loss(Concat(base::ToStd(opened.status().message()), "; see --secrets_key_file"));
    bytes = *std::move(opened);
  }
  absl::StatusOr<Resource> resource = model::Decode(bytes, entry.revision, entry.created);
  if (!resource.ok()) return loss(base::ToStd(resource.status().message()));
  if (model::StoreKey(check::KeyOf(*resource)) != entry.key) return loss("holds another resource");
  return resource;
}

absl::StatusOr<model::SharedModel> Codec::ReadModel(const store::Store& store, uint64_t revision) const {
  auto read = std::make_shared<model::Model>();
  read->epoch = store.head().epoch;
  read->revision = revision;
  absl::Status trouble;
  const auto visit = [&](const store::Entry& entry) {
    absl::StatusOr<Resource> resource = ResourceOf(entry);
    if (resource.ok()) {
      read->configuration.Add(*std::move(resource));
    } else {
      trouble = resource.status();
    }
    return trouble.ok();
  };
  if (absl::Status status = store.Read(revision, visit); !status.ok()) return status;
  if (!trouble.ok()) return trouble;
  return read;
}

portico::v1::RevisionRecord RecordOf(const model::Step& step, const Caller& caller, uint64_t rollback_of,
                                     int64_t time) {
  portico::v1::RevisionRecord record;
  record.set_revision(step.after->revision);
  record.mutable_time()->set_seconds(time / 1'000'000);
  record.mutable_time()->set_nanos(static_cast<int32_t>(time % 1'000'000 * 1000));
  record.set_author(caller.author);
  record.set_peer(caller.peer);
  record.set_rollback_of(rollback_of);
  for (const model::ResourceChange& change : step.changes) {
    if (change.kind == ChangeKind::kUnchanged) continue;
    *record.add_changes() = model::ToMessage(change);
  }
  return record;
}

}  // namespace portico::change
