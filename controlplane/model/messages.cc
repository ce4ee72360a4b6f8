#include "controlplane/model/messages.h"

namespace portico::model {
namespace {

portico::v1::ResourceChange::Kind ToKind(ChangeKind kind) {
  switch (kind) {
    case ChangeKind::kUnchanged:
      return portico::v1::ResourceChange::UNCHANGED;
    case ChangeKind::kCreated:
      return portico::v1::ResourceChange::CREATED;
    case ChangeKind::kUpdated:
      return portico::v1::ResourceChange::UPDATED;
    case ChangeKind::kDeleted:
      return portico::v1::ResourceChange::DELETED;
  }
  return portico::v1::ResourceChange::KIND_UNSPECIFIED;
}

}  // namespace

portico::v1::ResourceName ToName(const check::ResourceKey& key) {
  portico::v1::ResourceName name;
  name.set_kind(key.kind);
  name.set_namespace_(key.name_space);
  name.set_name(key.name);
  return name;
}

portico::v1::ResourceChange ToMessage(const ResourceChange& change) {
  portico::v1::ResourceChange message;
  *message.mutable_name() = ToName(change.key);
  message.set_kind(ToKind(change.kind));
  return message;
}

}  // namespace portico::model
