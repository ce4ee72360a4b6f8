#include "controlplane/north/gather.h"

#include <utility>

#include "api/base/text.h"
#include "controlplane/change/plan.h"
#include "controlplane/north/convert.h"

namespace portico::north {

using base::Concat;
using base::ToAbsl;

absl::Status Gather::Add(const portico::v1::ApplyRequest& request) {
  const bool tolerate = request.references() == portico::v1::REFERENCE_RULE_TOLERATE;
  if (!begun_) {
    begun_ = true;
    change_.dry_run = request.dry_run();
    change_.expected_revision = request.expected_revision();
    change_.expected_epoch = request.expected_epoch();
    change_.tolerate = tolerate;
    change_.manager = request.manager();
    change_.force = request.force();
  } else if ((request.dry_run() && !change_.dry_run) || (tolerate && !change_.tolerate) ||
             (request.force() && !change_.force) ||
             (!request.manager().empty() && request.manager() != change_.manager) ||
             (request.expected_revision() != 0 && request.expected_revision() != change_.expected_revision) ||
             (!request.expected_epoch().empty() && request.expected_epoch() != change_.expected_epoch)) {
    return absl::InvalidArgumentError("the first message's options hold for all; a later one has others");
  }
  bytes_ += request.ByteSizeLong();
  if (bytes_ > kBytesMax) {
    return absl::ResourceExhaustedError(ToAbsl(Concat("a change of more than ", kBytesMax, " bytes")));
  }
  change_.resources.insert(change_.resources.end(), request.resources().begin(), request.resources().end());
  for (const portico::v1::ResourceName& name : request.deletes()) {
    absl::StatusOr<check::ResourceKey> key = ToKey(name);
    if (!key.ok()) return key.status();
    change_.deletes.push_back(*std::move(key));
  }
  const size_t size = change_.resources.size() + change_.deletes.size();
  if (size <= change::kResourcesMax) return absl::OkStatus();
  return absl::ResourceExhaustedError(ToAbsl(Concat("a change of more than ", change::kResourcesMax, " resources")));
}

}  // namespace portico::north
