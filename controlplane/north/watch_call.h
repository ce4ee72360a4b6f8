#ifndef PORTICO_CONTROLPLANE_NORTH_WATCH_CALL_H_
#define PORTICO_CONTROLPLANE_NORTH_WATCH_CALL_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/model/model.h"
#include "controlplane/north/gatekeeper.h"

namespace portico::north {

// One Watch: what changed since the caller's revision, for as long as it listens. It keeps names, not messages: however
// slowly it is read, it holds one message and the newest model. It lives until gRPC is done with it and nobody else has
// it: a caller may leave before the watch has begun. It tells what its caller may read, and nothing after its token has
// expired.
class WatchCall final : public grpc::ServerWriteReactor<portico::v1::WatchResponse> {
 public:
  static constexpr size_t kBytesMax = 1 << 20;  // of one message, unless a single resource is larger

  // `ended` is called once, when gRPC is done.
  static std::shared_ptr<WatchCall> Make(const portico::v1::WatchRequest& request, const Gatekeeper& gatekeeper,
                                         std::function<void(const std::shared_ptr<WatchCall>&)> ended);

  // Whose it is; once, before it is told anything.
  void Begin(Caller caller);
  // Where it goes on from: it ends, with OUT_OF_RANGE, unless its caller could read there what it may now. What it was
  // told of would else lack what changed out of its sight. After Begin.
  void JudgeStart(const check::Configuration& start);
  // Roles or Tokens have changed: it ends unless its caller may read what it could. Before it is told of that change.
  void JudgeAgain();

  // Any thread, in the order of the revisions. `changed`: what differs from what the caller has.
  void OnModel(model::SharedModel model, const std::set<check::ResourceKey>& changed);
  void Refuse(const grpc::Status& status);
  // The server ends.
  void End();
  // gRPC is done: `ended` was called or is about to be.
  bool done() const;

 private:
  WatchCall(const portico::v1::WatchRequest& request, const Gatekeeper& gatekeeper,
            std::function<void(const std::shared_ptr<WatchCall>&)> ended);

  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

  bool Sees(const check::ResourceKey& key) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Ends it if the token has expired.
  bool EndIfExpired();
  void Write() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The last that may be done with this: gRPC may delete it on another thread at once.
  void FinishOnce(const grpc::Status& status);

  const portico::v1::WatchRequest request_;
  const Gatekeeper& gatekeeper_;
  const std::function<void(const std::shared_ptr<WatchCall>&)> ended_;
  std::shared_ptr<WatchCall> self_;  // gRPC's hold on it
  mutable absl::Mutex mutex_;
  Caller caller_ ABSL_GUARDED_BY(mutex_);
  access::Scope scope_ ABSL_GUARDED_BY(mutex_);
  model::SharedModel model_ ABSL_GUARDED_BY(mutex_);
  std::set<check::ResourceKey> owed_ ABSL_GUARDED_BY(mutex_);
  uint64_t told_ ABSL_GUARDED_BY(mutex_) = 0;  // the revision that it was told wholly
  bool first_ ABSL_GUARDED_BY(mutex_) = true;  // even nothing is said once
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool done_ ABSL_GUARDED_BY(mutex_) = false;
  portico::v1::WatchResponse response_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_WATCH_CALL_H_
