#include "controlplane/north/convert.h"

#include <algorithm>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "controlplane/model/messages.h"

namespace portico::north {
absl::StatusOr<check::ResourceKey> ToKey(const portico::v1::ResourceName& name) {
  const std::vector<std::string>& types = wire::ResourceTypes();
  if (std::find(types.begin(), types.end(), wire::TypeUrl(name.kind())) == types.end()) {
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

}  // namespace portico::north
