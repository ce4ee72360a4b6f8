#include "controlplane/north/gatekeeper.h"

#include <algorithm>
#include <set>
#include <utility>

#include "api/base/text.h"
#include "api/base/utf8.h"
#include "controlplane/access/judge.h"
#include "controlplane/change/plan.h"
#include "controlplane/north/credentials.h"

namespace portico::north {
namespace {

using base::Concat;

constexpr size_t kAuthorBytesMax = 256;  // it is kept with every revision

// A rollback's caller has named nothing: what stands where it may not read is counted.
change::Refusal DenialOf(const access::Rights& rights, const change::Change& change, check::Violations violations) {
  if (change.rollback_of == 0) return change::RefusalOf(absl::StatusCode::kPermissionDenied, std::move(violations));
  const size_t all = violations.size();
  const access::Scope scope = rights.Reads();
  std::erase_if(violations, [&scope](const check::Violation& one) { return !scope.Has(one.key.name_space); });
  const size_t hidden = all - violations.size();
  const std::string more = Concat(hidden, " of what it would change ", hidden == 1 ? "is" : "are", " where ",
                                  rights.author, " may not read; name a namespace to stay in");
  if (violations.empty()) return {absl::PermissionDeniedError(base::ToAbsl(more)), {}};
  change::Refusal refusal = change::RefusalOf(absl::StatusCode::kPermissionDenied, std::move(violations));
  if (hidden > 0) {
    refusal.status =
        absl::PermissionDeniedError(base::ToAbsl(Concat(base::ToStd(refusal.status.message()), "; ", more)));
  }
  return refusal;
}

}  // namespace

change::Caller Caller::record() const {
  return {base::Utf8Prefix(rights.author, kAuthorBytesMax), peer};
}

std::string Caller::holder() const {
  return Concat(rights.author, " ", peer.substr(0, peer.rfind(':')));
}

Gatekeeper::Gatekeeper(change::Changes& changes, Options options)
    : changes_(changes), options_(std::move(options)), admin_token_sha256_(options_.admin_token_sha256) {
  changes_.Follow([this](const model::Step& step) { OnStep(step); });
}

access::Settings Gatekeeper::Settings() const {
  absl::MutexLock lock(&mutex_);
  return {.anonymous = options_.anonymous, .admin_token_sha256 = admin_token_sha256_};
}

absl::StatusOr<Caller> Gatekeeper::CallerOf(const grpc::ServerContextBase& context) const {
  absl::StatusOr<access::Credentials> credentials = CredentialsOf(context);
  if (!credentials.ok()) return credentials.status();
  absl::StatusOr<access::Rights> rights = RightsOf(*credentials);
  if (!rights.ok()) return rights.status();
  return Caller{*std::move(credentials), PeerOf(context), *std::move(rights)};
}

absl::StatusOr<access::Rights> Gatekeeper::RightsOf(const access::Credentials& credentials) const {
  return access::RightsOf(credentials, changes_.Now()->configuration, Settings(), options_.now());
}

access::Scope Gatekeeper::ReadsAt(const access::Credentials& credentials,
                                  const check::Configuration& configuration) const {
  const absl::StatusOr<access::Rights> rights =
      access::RightsOf(credentials, configuration, Settings(), options_.now());
  return rights.ok() ? rights->Reads() : access::Scope();
}

change::Changes::Judge Gatekeeper::JudgeOf(const Caller& caller) const {
  return [this, credentials = caller.credentials](const model::Model& now,
                                                  const change::Change& change) -> std::optional<change::Refusal> {
    const int64_t time = options_.now();
    const absl::StatusOr<access::Rights> rights = access::RightsOf(credentials, now.configuration, Settings(), time);
    if (!rights.ok()) return change::Refusal{rights.status(), {}};
    const access::Writes writes{change.resources, change.deletes};
    check::Violations violations = access::JudgeWrites(*rights, now.configuration, writes);
    if (!violations.empty()) return DenialOf(*rights, change, std::move(violations));
    const absl::Status status =
        access::JudgeLockOut(now.configuration, writes, credentials, options_.certificates, time);
    if (!status.ok()) return change::Refusal{status, {}};
    return std::nullopt;
  };
}

absl::Status Gatekeeper::Admits(std::string_view authorization) const {
  const absl::StatusOr<std::string> sha256 = DigestOfBearer(authorization);
  if (!sha256.ok()) return sha256.status();
  return RightsOf({.secure = true, .token_sha256 = *sha256}).status();
}

void Gatekeeper::OnStep(const model::Step& step) {
  if (!ChangesAccess(step)) return;
  const auto admins_of = [this, time = options_.now()](const model::SharedModel& model) {
    return access::AdminsOf(model->configuration, options_.certificates, time);
  };
  const std::set<access::AdminBy> before = admins_of(step.before), after = admins_of(step.after);
  if (std::ranges::includes(before, after)) return;
  {
    absl::MutexLock lock(&mutex_);
    if (admin_token_sha256_.empty()) return;
    admin_token_sha256_.clear();
  }
  if (options_.admin_token_ends) options_.admin_token_ends();
}

bool ChangesAccess(const model::Step& step) {
  return std::ranges::any_of(step.changes,
                             [](const model::ResourceChange& change) { return access::IsAccess(change.key.kind); });
}

}  // namespace portico::north
