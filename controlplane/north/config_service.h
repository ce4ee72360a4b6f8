#ifndef PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_
#define PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_

#include <functional>
#include <memory>
#include <set>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/config_service.grpc.pb.h"
#include "controlplane/change/changes.h"
#include "controlplane/north/watch_call.h"
#include "controlplane/north/writer.h"

namespace portico::north {

// portico.v1.ConfigService over a configuration. Outlives the server that it is registered with; End() comes before the
// server's Shutdown, so that no watch holds it up.
class ConfigService final : public portico::v1::ConfigService::CallbackService {
 public:
  ConfigService(change::Changes& changes, Writer& writer);

  void End();

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

  // Answers on the writer's thread with what `body` returns.
  grpc::ServerUnaryReactor* OnWriter(Context* context, std::function<grpc::Status()> body);
  void BeginWatch(const std::shared_ptr<WatchCall>& watch, uint64_t after_revision);
  void OnStep(const model::Step& step);

  change::Changes& changes_;
  Writer& writer_;
  absl::Mutex mutex_;
  std::set<std::shared_ptr<WatchCall>> watches_ ABSL_GUARDED_BY(mutex_);
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_CONFIG_SERVICE_H_
