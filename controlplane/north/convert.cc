#include "controlplane/north/convert.h"

#include <algorithm>
#include <string_view>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/model/messages.h"
#include "google/protobuf/descriptor.h"

namespace portico::north {
namespace {

bool IsKind(std::string_view name) {
  const google::protobuf::OneofDescriptor& kinds = *portico::v1::Resource::descriptor()->oneof_decl(0);
  for (int i = 0; i < kinds.field_count(); ++i)
    if (kinds.field(i)->message_type()->name() == name) return true;
  return false;
}

}  // namespace

absl::StatusOr<check::ResourceKey> ToKey(const portico::v1::ResourceName& name) {
  if (!IsKind(name.kind())) {
    return absl::InvalidArgumentError(
        base::ToAbsl(name.kind().empty() ? "a kind must be named" : base::Concat("there is no kind ", name.kind())));
  }
  if (name.name().empty()) return absl::InvalidArgumentError(base::ToAbsl(base::Concat("which ", name.kind(), "?")));
  return check::ResourceKey{
      name.kind(), name.namespace_().empty() ? std::string(check::kDefaultNamespace) : name.namespace_(), name.name()};
}

portico::v1::ApplyResponse ToResponse(const change::Outcome& outcome) {
  portico::v1::ApplyResponse response;
  response.set_revision(outcome.revision);
  response.set_epoch(outcome.epoch);
  for (const model::ResourceChange& change : outcome.changes) {
    *response.add_changes() = model::ToMessage(change);
  }
  for (const change::Warning& warning : outcome.warnings) {
    portico::v1::Warning& out = *response.add_warnings();
    *out.mutable_name() = model::ToName(warning.key);
    out.set_path(warning.path);
    out.set_message(warning.message);
  }
  for (const check::ResourceKey& gateway : outcome.gateways)
    response.add_gateways(wire::ResourceName(gateway));
  return response;
}

bool Matches(const portico::v1::ListRequest& request, const check::ResourceKey& key,
             const portico::v1::Resource& resource) {
  if (!request.kind().empty() && request.kind() != key.kind) return false;
  if (!request.namespace_().empty() && request.namespace_() != key.name_space) return false;
  const auto& labels = check::MetadataOf(resource).labels();
  return std::all_of(request.labels().begin(), request.labels().end(), [&labels](const auto& label) {
    const auto found = labels.find(label.first);
    return found != labels.end() && found->second == label.second;
  });
}

portico::v1::RevisionRecord ShownRecord(const portico::v1::RevisionRecord& record, const access::Scope& scope) {
  if (scope.all) return record;
  portico::v1::RevisionRecord shown = record;
  shown.clear_changes();
  for (const portico::v1::ResourceChange& change : record.changes())
    if (scope.Has(change.name().namespace_())) *shown.add_changes() = change;
  if (!shown.changes().empty()) return shown;
  shown.clear_author();
  shown.clear_peer();
  shown.clear_rollback_of();
  return shown;
}

}  // namespace portico::north
