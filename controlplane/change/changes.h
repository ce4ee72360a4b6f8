#ifndef PORTICO_CONTROLPLANE_CHANGE_CHANGES_H_
#define PORTICO_CONTROLPLANE_CHANGE_CHANGES_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/check/key_pair.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/change/change.h"
#include "controlplane/change/codec.h"
#include "controlplane/model/model.h"
#include "controlplane/store/store.h"

namespace portico::change {

// The configuration and the one door to it. Calls come from any thread and block for the disk.
//
//   ASSIGN changes = Changes::Open(std::move(store), codec, key_pairs, now, {});
//   changes->Follow([](const model::Step& step) { … });
//   auto result = changes->Apply({.resources = …}, {"alice", "10.0.0.7:4711"}, judge);
class Changes {
 public:
  using Clock = std::function<int64_t()>;  // microseconds since 1970 (UTC)
  using Follower = std::function<void(const model::Step& step)>;
  // Whether its writer may make a change of what there is, beyond what the change itself says: asked in the moment in
  // which it is made, so that nothing comes between. nullopt: yes.
  using Judge = std::function<std::optional<Refusal>(const model::Model& now, const Change& change)>;

  struct Options {
    // How many revisions Rollback can name. The rest is forgotten now and then.
    uint64_t revisions_kept = 1000;
  };

  // Reads the head of the store; it must be readable wholly (kDataLoss: which key is not).
  static absl::StatusOr<std::unique_ptr<Changes>> Open(std::unique_ptr<store::Store> store, Codec codec,
                                                       const check::KeyPairChecker& key_pairs, Clock clock,
                                                       Options options);

  // One at a time, in the order of their coming. A refusal has changed nothing. `judge` nullptr: whoever calls may.
  std::variant<Outcome, Refusal> Apply(const Change& change, const Caller& caller, const Judge& judge = nullptr);

  // Makes the configuration of an old revision hold again, by writing what differs since; in one namespace if one is
  // given. What says who may do what (Roles and Tokens), and what was purged, stays as it is. The credentials of
  // Consumers do come back; the outcome warns of each Consumer that gets some. Of `options` its rules and its dry_run
  // hold. kNotFound: the revision is not kept.
  std::variant<Outcome, Refusal> Rollback(uint64_t revision, std::string_view name_space, Change options,
                                          const Caller& caller, const Judge& judge = nullptr);

  // The newest revision; never waits for the disk.
  model::SharedModel Now() const;
  // An old one. kNotFound: it is not kept.
  absl::StatusOr<model::SharedModel> At(uint64_t revision) const;

  struct Past {
    std::vector<portico::v1::RevisionRecord> revisions;  // the newest first
    uint64_t oldest = 0;
  };
  absl::StatusOr<Past> History(uint64_t before, size_t limit) const;

  // `follower` is told each step from now on, in order, on the thread that made it, before Apply returns; it must be
  // quick and may not call Apply. Returns the model that the first step will be from.
  model::SharedModel Follow(Follower follower);

  // As of store::Store.
  absl::StatusOr<std::optional<std::string>> Fact(std::string_view name) const { return store_->Fact(name); }
  absl::Status SetFact(std::string_view name, std::string_view value) { return store_->SetFact(name, value); }

 private:
  Changes(std::unique_ptr<store::Store> store, Codec codec, const check::KeyPairChecker& key_pairs, Clock clock,
          Options options, model::SharedModel now);

  // Judges, and fills in what would become of it. A plan that is not empty goes on to Store.
  std::variant<Outcome, Refusal> Try(const Change& change, const Judge& judge, model::Step& step) const;
  std::variant<Outcome, Refusal> ApplyLocked(const Change& change, const Caller& caller, const Judge& judge)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_);
  std::variant<Outcome, Refusal> Store(const Change& change, const Caller& caller, model::Step step, Outcome outcome)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_);
  void ForgetOld(uint64_t head) ABSL_EXCLUSIVE_LOCKS_REQUIRED(writing_);

  const std::unique_ptr<store::Store> store_;
  const Codec codec_;
  const check::KeyPairChecker& key_pairs_;
  const Clock clock_;
  const Options options_;

  absl::Mutex writing_;  // held over a whole Apply
  std::vector<Follower> followers_ ABSL_GUARDED_BY(writing_);
  mutable absl::Mutex reading_ ABSL_ACQUIRED_AFTER(writing_);  // held for a moment
  model::SharedModel now_ ABSL_GUARDED_BY(reading_);
};

}  // namespace portico::change

#endif  // PORTICO_CONTROLPLANE_CHANGE_CHANGES_H_
