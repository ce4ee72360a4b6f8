#include "controlplane/change/plan.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "api/check/references/references.h"
#include "api/check/resource/resource.h"
#include "controlplane/model/encoding.h"

namespace portico::change {
namespace {

using base::Concat;
using base::ToAbsl;
using check::ResourceKey;
using model::ChangeKind;
using portico::v1::Resource;

constexpr size_t kViolationsMax = 100;   // more than anybody mends in one go
constexpr size_t kManagerBytesMax = 63;  // as a label's value

bool IsManager(std::string_view text) {
  return text.size() <= kManagerBytesMax && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

class Planner {
 public:
  Planner(const model::Model& now, const Change& change, const check::KeyPairChecker& key_pairs)
      : now_(now), change_(change), next_(std::make_shared<model::Model>(now)) {
    environment_.key_pairs = &key_pairs;
    next_->revision = now.revision + 1;
  }

  std::variant<Plan, Refusal> Run() {
    if (absl::Status status = CheckSize(); !status.ok()) return Refusal{status, {}};
    for (const auto step : {&Planner::JudgeResources, &Planner::JudgeDeletes, &Planner::JudgeVersions,
                            &Planner::JudgeManagers, &Planner::Enter, &Planner::JudgeTokens, &Planner::JudgeWhole}) {
      const absl::StatusCode code = (this->*step)();
      if (violations_.empty()) continue;
      return RefusalOf(code, std::move(violations_));
    }
    Plan plan;
    for (const auto& [key, kind] : changes_)
      plan.changes.push_back({key, kind});
    if (!plan.empty()) model::ResolveGateways(&now_, *next_);
    plan.next = std::move(next_);
    return plan;
  }

 private:
  absl::Status CheckSize() const {
    if (!change_.expected_epoch.empty() && change_.expected_epoch != now_.epoch) {
      return absl::AbortedError(ToAbsl(Concat("the store is of epoch ", now_.epoch, ", not ", change_.expected_epoch,
                                              ": it was restored since you read it; read it again")));
    }
    if (change_.expected_revision != 0 && change_.expected_revision != now_.revision) {
      return absl::AbortedError(ToAbsl(Concat("the configuration is at revision ", now_.revision, ", not at ",
                                              change_.expected_revision, ": look at what changed, then apply again")));
    }
    if (!IsManager(change_.manager)) {
      return absl::InvalidArgumentError(ToAbsl(Concat("the name of a manager must be at most ", kManagerBytesMax,
                                                      " visible ASCII characters without spaces")));
    }
    const size_t size = change_.resources.size() + change_.deletes.size();
    if (size <= kResourcesMax) return absl::OkStatus();
    return absl::ResourceExhaustedError(
        ToAbsl(Concat("a change of ", size, " resources; at most ", kResourcesMax, " at once")));
  }

  void Add(const ResourceKey& key, std::string path, std::string message) {
    violations_.push_back({key, std::move(path), std::move(message)});
  }

  absl::StatusCode JudgeResources() {
    for (const Resource& resource : change_.resources) {
      Resource plain = resource;
      if (plain.kind_case() != Resource::KIND_NOT_SET) model::ClearSystemFields(plain);
      const ResourceKey key = check::KeyOf(plain);
      for (check::Violation& violation : check::CheckResource(plain, environment_)) {
        violations_.push_back(std::move(violation));
      }
      if (!named_.insert(key).second) Add(key, "metadata.name", "is named twice in one change");
    }
    return absl::StatusCode::kInvalidArgument;
  }

  absl::StatusCode JudgeDeletes() {
    absl::StatusCode code = absl::StatusCode::kNotFound;
    for (const ResourceKey& key : change_.deletes) {
      if (!named_.insert(key).second) {
        Add(key, "", "is named twice in one change");
        code = absl::StatusCode::kInvalidArgument;
      } else if (now_.configuration.Find(key) == nullptr) {
        Add(key, "", "there is none to delete");
      }
    }
    return code;
  }

  absl::StatusCode JudgeVersions() {
    for (const Resource& resource : change_.resources) {
      const uint64_t seen = check::MetadataOf(resource).revision();
      if (seen == 0) continue;
      const ResourceKey key = check::KeyOf(resource);
      const Resource* stored = now_.configuration.Find(key);
      if (stored == nullptr) {
        Add(key, "metadata.revision",
            Concat("is ", seen, ", but the resource was deleted; leave it out to make it anew"));
      } else if (const uint64_t revision = check::MetadataOf(*stored).revision(); revision != seen) {
        Add(key, "metadata.revision",
            Concat("is ", seen, ", but it was changed at revision ", revision, ": look at that, then apply again"));
      }
    }
    return absl::StatusCode::kAborted;
  }

  absl::StatusCode JudgeManagers() {
    if (change_.force) return absl::StatusCode::kFailedPrecondition;
    for (const Resource& resource : change_.resources) {
      const ResourceKey key = check::KeyOf(resource);
      const Resource* stored = now_.configuration.Find(key);
      if (stored == nullptr) {
        JudgeManager(key, NewManager(resource));
      } else if (!model::SameContent(*stored, resource)) {
        JudgeManager(key, check::MetadataOf(*stored).manager());
      }
    }
    for (const ResourceKey& key : change_.deletes)
      JudgeManager(key, check::MetadataOf(*now_.configuration.Find(key)).manager());
    return absl::StatusCode::kFailedPrecondition;
  }

  void JudgeManager(const ResourceKey& key, const std::string& manager) {
    if (manager.empty() || manager == change_.manager) return;
    Add(key, "metadata.manager", Concat("is ", manager, ", which looks after it; force takes it over"));
  }

  // A rollback brings back whose it was.
  const std::string& NewManager(const Resource& resource) const {
    return change_.rollback_of != 0 ? check::MetadataOf(resource).manager() : change_.manager;
  }

  // A manager alone is no change, unless it is forced: whoever applies what is there already takes nothing over.
  bool IsUnchanged(const Resource& stored, const Resource& wanted) const {
    return model::SameContent(stored, wanted) &&
           (!change_.force || check::MetadataOf(stored).manager() == NewManager(wanted));
  }

  absl::StatusCode Enter() {
    for (const Resource& resource : change_.resources) {
      const ResourceKey key = check::KeyOf(resource);
      const Resource* stored = now_.configuration.Find(key);
      if (stored != nullptr && IsUnchanged(*stored, resource)) {
        changes_[key] = ChangeKind::kUnchanged;
        continue;
      }
      Resource entered = resource;
      model::ClearSystemFields(entered);
      portico::v1::Metadata& metadata = model::MutableMetadata(entered);
      metadata.set_manager(NewManager(resource));
      metadata.set_revision(next_->revision);
      metadata.set_creation_revision(stored != nullptr ? check::MetadataOf(*stored).creation_revision()
                                                       : next_->revision);
      next_->configuration.Put(std::move(entered));
      changes_[key] = stored != nullptr ? ChangeKind::kUpdated : ChangeKind::kCreated;
    }
    for (const ResourceKey& key : change_.deletes) {
      next_->configuration.Remove(key);
      changes_[key] = ChangeKind::kDeleted;
    }
    return absl::StatusCode::kInternal;
  }

  // Not even tolerated: the callers of the one would be the other's.
  absl::StatusCode JudgeTokens() {
    for (const auto& [key, kind] : changes_) {
      if (key.kind != "Token" || (kind != ChangeKind::kCreated && kind != ChangeKind::kUpdated)) continue;
      const std::string& sha256 = next_->configuration.Find(key)->token().spec().sha256();
      const auto& holders = TokensOf(sha256);
      const auto other = std::ranges::find_if(holders, [&key = key](const ResourceKey& one) { return one != key; });
      if (other == holders.end()) continue;
      const bool own = other->name_space == key.name_space;  // of another namespace nobody learns the name
      Add(key, "spec.sha256", Concat("is that of ", own ? other->ToString() : "another Token", "; make a new one"));
    }
    return absl::StatusCode::kFailedPrecondition;
  }

  // Those with that digest.
  const std::vector<ResourceKey>& TokensOf(const std::string& sha256) {
    if (!tokens_) {
      tokens_.emplace();
      next_->configuration.ForEach("Token", [this](const ResourceKey& key, const check::SharedResource& resource) {
        (*tokens_)[resource->token().spec().sha256()].push_back(key);
      });
    }
    return (*tokens_)[sha256];
  }

  absl::StatusCode JudgeWhole() {
    if (change_.tolerate) return absl::StatusCode::kFailedPrecondition;
    // What was stored with TOLERATE is no fault of this change, unless it touches it.
    violations_ = check::CheckReferences(now_.configuration, next_->configuration, named_);
    return absl::StatusCode::kFailedPrecondition;
  }

  const model::Model& now_;
  const Change& change_;
  check::CheckEnvironment environment_;
  std::shared_ptr<model::Model> next_;
  std::set<ResourceKey> named_;
  std::map<ResourceKey, ChangeKind> changes_;
  std::optional<std::map<std::string, std::vector<ResourceKey>>> tokens_;  // by digest, once one is written
  check::Violations violations_;
};

}  // namespace

bool Plan::empty() const {
  return std::all_of(changes.begin(), changes.end(),
                     [](const model::ResourceChange& change) { return change.kind == ChangeKind::kUnchanged; });
}

Refusal RefusalOf(absl::StatusCode code, check::Violations violations) {
  const check::Violation& first = violations.front();
  std::string text = Concat(first.key.ToString(), first.path.empty() ? "" : ": ", first.path, ": ", first.message);
  if (violations.size() > 1) text += Concat(" (and ", violations.size() - 1, " more)");
  if (violations.size() > kViolationsMax) violations.resize(kViolationsMax);
  return {absl::Status(code, ToAbsl(text)), std::move(violations)};
}

std::variant<Plan, Refusal> MakePlan(const model::Model& now, const Change& change,
                                     const check::KeyPairChecker& key_pairs) {
  return Planner(now, change, key_pairs).Run();
}

}  // namespace portico::change
