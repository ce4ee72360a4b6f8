#ifndef PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_
#define PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/config_service.grpc.pb.h"
#include "controlplane/access/rights.h"
#include "controlplane/change/changes.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/counted_changes.h"
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/places.h"
#include "controlplane/north/watch_call.h"
#include "controlplane/north/writer.h"

namespace portico::north {

struct ConfigServiceOptions {
  // At a time, and a quarter of each for one caller.
  size_t lists_max = 100;     // each holds a message of 1 MiB, and its revision
  size_t watches_max = 1000;  // each may hold a message of 1 MiB, and names
  size_t applies_max = 64;    // each may hold a change of 64 MiB
  // For all messages of a change to come: 64 MiB at 10 Mbit/s. Who sends nothing, or little, keeps its place no longer.
  std::chrono::milliseconds gather_time = std::chrono::seconds(60);
  // Whose proxies may be too old for what a change brings them; outlives the service. nullptr: nobody is warned of.
  fleet::Fleet* fleet = nullptr;
  // In microseconds, for durations.
  change::Changes::Clock now = [] { return int64_t{0}; };
};

// portico.v1.ConfigService over a configuration, for those whom the gatekeeper lets in. Outlives the server that it is
// registered with; End() comes before the server's Shutdown, so that no watch holds it up.
//
// Changes are made on the writer's thread. What only reads never waits for one: the newest revision is answered at
// once, and old ones, which are on the disk, have a thread of their own.
class ConfigService final : public portico::v1::ConfigService::CallbackService {
 public:
  // All must outlive it.
  ConfigService(change::Changes& changes, const Gatekeeper& gatekeeper, Writer& writer,
                ConfigServiceOptions options = {});

  void End();

  ChangeCounts counts() const { return counted_.Read(); }

 private:
  using Context = grpc::CallbackServerContext;

  grpc::ServerReadReactor<portico::v1::ApplyRequest>* Apply(Context* context,
                                                            portico::v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* Get(Context* context, const portico::v1::GetRequest* request,
                                portico::v1::GetResponse* response) override;
  grpc::ServerWriteReactor<portico::v1::ListResponse>* List(Context* context,
                                                            const portico::v1::ListRequest* request) override;
  grpc::ServerUnaryReactor* Delete(Context* context, const portico::v1::DeleteRequest* request,
                                   portico::v1::ApplyResponse* response) override;
  grpc::ServerUnaryReactor* History(Context* context, const portico::v1::HistoryRequest* request,
                                    portico::v1::HistoryResponse* response) override;
  grpc::ServerUnaryReactor* Rollback(Context* context, const portico::v1::RollbackRequest* request,
                                     portico::v1::ApplyResponse* response) override;
  grpc::ServerWriteReactor<portico::v1::WatchResponse>* Watch(Context* context,
                                                              const portico::v1::WatchRequest* request) override;

  using May = std::function<absl::Status(const access::Rights&)>;
  // Answers on that thread with what `body` returns. Whom nobody knows, and who may not, takes no place in its queue.
  // `may` is asked again when it is its turn.
  grpc::ServerUnaryReactor* On(Writer& thread, Context* context, May may,
                               std::function<grpc::Status(const Caller&)> body);
  // On the reader's thread.
  void BeginWatch(const std::shared_ptr<WatchCall>& watch, uint64_t after_revision);
  void OnStep(const model::Step& step);

  change::Changes& changes_;
  const Gatekeeper& gatekeeper_;
  Writer& writer_;
  fleet::Fleet* const fleet_;
  const std::chrono::milliseconds gather_time_;
  CountedChanges counted_;
  Places list_places_, watch_places_, apply_places_;
  absl::Mutex mutex_;
  std::set<std::shared_ptr<WatchCall>> watches_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
  Writer reader_;  // the last, so that its tasks find the rest
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_
