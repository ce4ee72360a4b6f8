#include "controlplane/change/changes.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "controlplane/change/effects.h"
#include "controlplane/change/plan.h"
#include "controlplane/model/encoding.h"
#include "google/protobuf/util/message_differencer.h"

namespace portico::change {
namespace {

using base::Concat;
using base::ToAbsl;
using google::protobuf::util::MessageDifferencer;

// What a rollback leaves alone.
bool Stays(const check::ResourceKey& key, std::string_view name_space) {
  if (!name_space.empty() && key.name_space != name_space) return true;
  return key.kind == "Role" || key.kind == "Token" || key.kind == "CachePurge";
}

// What makes `then` of `now`.
void AddDifferences(const model::Model& now, const model::Model& then, std::string_view name_space, Change& change) {
  for (const auto& [key, resource] : then.configuration.resources()) {
    if (Stays(key, name_space)) continue;
    const portico::v1::Resource* held = now.configuration.Find(key);
    const uint64_t version = check::MetadataOf(*resource).revision();
    if (held != nullptr && check::MetadataOf(*held).revision() == version) continue;
    if (held != nullptr && model::SameContent(*held, *resource)) continue;  // it was changed back already
    change.resources.push_back(*resource);
    model::ClearVersions(change.resources.back());
  }
  for (const auto& [key, resource] : now.configuration.resources()) {
    if (!Stays(key, name_space) && then.configuration.Find(key) == nullptr) change.deletes.push_back(key);
  }
}

bool HasExpired(const portico::v1::Credential& credential, int64_t micros) {
  if (!credential.api_key().has_expires()) return false;
  const auto& expires = credential.api_key().expires();
  return expires.seconds() * 1'000'000 + expires.nanos() / 1000 <= micros;
}

// Consumers whose credentials were taken from them, and which a rollback gives them again: those that are good for
// anything at that time.
void AddReturns(const model::Model& now, const Change& change, int64_t micros, std::vector<Warning>& warnings) {
  for (const portico::v1::Resource& resource : change.resources) {
    if (!resource.has_consumer()) continue;
    const check::ResourceKey key = check::KeyOf(resource);
    const portico::v1::Resource* held = now.configuration.Find(key);
    const auto has = [held](const portico::v1::Credential& credential) {
      return held != nullptr &&
             std::ranges::any_of(held->consumer().spec().credentials(), [&credential](const auto& one) {
               return MessageDifferencer::Equals(one, credential);
             });
    };
    const auto& credentials = resource.consumer().spec().credentials();
    const auto returned = std::ranges::count_if(credentials, [&has, micros](const auto& credential) {
      return !has(credential) && !HasExpired(credential, micros);
    });
    if (returned == 0) continue;
    warnings.push_back({key, "spec.credentials",
                        Concat(returned, " that it has no more ", returned == 1 ? "is" : "are",
                               " good again with this rollback; take out what was revoked")});
  }
}

}  // namespace

absl::StatusOr<std::unique_ptr<Changes>> Changes::Open(std::unique_ptr<store::Store> store, Codec codec,
                                                       const check::KeyPairChecker& key_pairs, Clock clock,
                                                       Options options) {
  const absl::StatusOr<model::SharedModel> head = codec.ReadModel(*store, store->head().revision);
  if (!head.ok()) return head.status();
  auto now = std::make_shared<model::Model>(**head);
  model::ResolveGateways(nullptr, *now);
  return std::unique_ptr<Changes>(
      new Changes(std::move(store), std::move(codec), key_pairs, std::move(clock), options, std::move(now)));
}

Changes::Changes(std::unique_ptr<store::Store> store, Codec codec, const check::KeyPairChecker& key_pairs, Clock clock,
                 Options options, model::SharedModel now)
    : store_(std::move(store)),
      codec_(std::move(codec)),
      key_pairs_(key_pairs),
      clock_(std::move(clock)),
      options_(options),
      now_(std::move(now)) {
  PORTICO_CHECK(options_.revisions_kept > 0);
}

std::variant<Outcome, Refusal> Changes::Apply(const Change& change, const Caller& caller, const Judge& judge) {
  if (change.dry_run) {  // stops nobody who writes
    model::Step step;
    return Try(change, judge, step);
  }
  absl::MutexLock lock(&writing_);
  return ApplyLocked(change, caller, judge);
}

std::variant<Outcome, Refusal> Changes::Rollback(uint64_t revision, std::string_view name_space, Change options,
                                                 const Caller& caller, const Judge& judge) {
  const absl::StatusOr<model::SharedModel> then = At(revision);  // it is what it was, and nobody waits for the disk
  if (!then.ok()) return Refusal{then.status(), {}};
  absl::MutexLock lock(&writing_);
  const model::SharedModel now = Now();
  options.rollback_of = revision;
  AddDifferences(*now, **then, name_space, options);
  std::variant<Outcome, Refusal> result = ApplyLocked(options, caller, judge);
  if (auto* outcome = std::get_if<Outcome>(&result)) AddReturns(*now, options, clock_(), outcome->warnings);
  return result;
}

std::variant<Outcome, Refusal> Changes::Try(const Change& change, const Judge& judge, model::Step& step) const {
  step.before = Now();
  if (judge) {
    if (std::optional<Refusal> refusal = judge(*step.before, change)) return *std::move(refusal);
  }
  std::variant<Plan, Refusal> judged = MakePlan(*step.before, change, key_pairs_);
  if (std::holds_alternative<Refusal>(judged)) return std::get<Refusal>(std::move(judged));
  Plan plan = std::get<Plan>(std::move(judged));
  Outcome outcome;
  step.after = plan.empty() ? step.before : std::move(plan.next);
  step.changes = plan.changes;
  Effects effects = EffectsOf(step);
  outcome.epoch = step.after->epoch;
  outcome.revision = step.after->revision;
  outcome.changes = std::move(plan.changes);
  outcome.warnings = std::move(effects.warnings);
  outcome.gateways = std::move(effects.gateways);
  outcome.needs = std::move(effects.needs);
  std::erase_if(step.changes, [](const auto& one) { return one.kind == model::ChangeKind::kUnchanged; });
  return outcome;
}

std::variant<Outcome, Refusal> Changes::ApplyLocked(const Change& change, const Caller& caller, const Judge& judge) {
  model::Step step;
  std::variant<Outcome, Refusal> judged = Try(change, judge, step);
  if (std::holds_alternative<Refusal>(judged) || step.changes.empty() || change.dry_run) return judged;
  return Store(change, caller, std::move(step), std::get<Outcome>(std::move(judged)));
}

std::variant<Outcome, Refusal> Changes::Store(const Change& change, const Caller& caller, model::Step step,
                                              Outcome outcome) {
  const std::string record = RecordOf(step, caller, change.rollback_of, clock_()).SerializeAsString();
  const absl::StatusOr<uint64_t> stored = store_->Commit(step.before->revision, codec_.WritesOf(step), record);
  // A commit may fail after it was made: the head says.
  if (!stored.ok() && store_->head().revision != step.after->revision) return Refusal{stored.status(), {}};
  {
    absl::MutexLock lock(&reading_);
    now_ = step.after;
  }
  for (const Follower& follower : followers_)
    follower(step);
  ForgetOld(outcome.revision);
  return outcome;
}

// A batch at a time: forgetting looks at every key. What fails is tried again with a later revision.
void Changes::ForgetOld(uint64_t head) {
  const uint64_t batch = std::max<uint64_t>(1, options_.revisions_kept / 10);
  if (head <= options_.revisions_kept || head % batch != 0) return;
  store_->Forget(head - options_.revisions_kept + 1).IgnoreError();
}

model::SharedModel Changes::Now() const {
  absl::MutexLock lock(&reading_);
  return now_;
}

absl::StatusOr<model::SharedModel> Changes::At(uint64_t revision) const {
  if (const model::SharedModel now = Now(); now->revision == revision) return now;
  return codec_.ReadModel(*store_, revision);
}

absl::StatusOr<Changes::Past> Changes::History(uint64_t before, size_t limit) const {
  const absl::StatusOr<std::vector<store::Record>> records = store_->History(before, limit);
  if (!records.ok()) return records.status();
  Past past;
  past.oldest = store_->head().oldest;
  for (const store::Record& record : *records) {
    portico::v1::RevisionRecord& read = past.revisions.emplace_back();
    if (!read.ParseFromString(record.bytes)) {
      return absl::DataLossError(ToAbsl(Concat("the record of revision ", record.revision, " cannot be read")));
    }
  }
  return past;
}

model::SharedModel Changes::Follow(Follower follower) {
  absl::MutexLock lock(&writing_);
  followers_.push_back(std::move(follower));
  return Now();
}

}  // namespace portico::change
