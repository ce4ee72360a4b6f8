#ifndef PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
#define PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_

#include <grpcpp/alarm.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <chrono>
#include <memory>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/counted_changes.h"
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/gather.h"
#include "controlplane/north/places.h"
#include "controlplane/north/writer.h"

namespace portico::north {

// One Apply: gathers its messages for so long, if its caller may write somewhere and there is a place, then is judged
// and stored on the writer's thread. Deletes itself.
//
//   gathering ──its caller has sent all──▶ waits for the writer ──▶ finished
//       └──its time is over; a message that is refused, or whose caller may write no more──▶ finished
class ApplyCall final : public grpc::ServerReadReactor<portico::v1::ApplyRequest> {
 public:
  // What all of them share; outlives them.
  struct Service {
    CountedChanges& changes;
    const Gatekeeper& gatekeeper;
    Writer& writer;
    Places& places;
    fleet::Fleet* fleet;                    // nullptr: ConfigServiceOptions
    std::chrono::milliseconds gather_time;  // ConfigServiceOptions
  };
  ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response, const Service& service);

 private:
  // Who ends the gathering finishes the call, or has the writer do it. It outlives the call: an alarm that is taken
  // back is told of it later.
  struct Gathering {
    // False: somebody else has.
    bool End();

    absl::Mutex mutex;
    bool over ABSL_GUARDED_BY(mutex) = false;
  };

  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

  absl::Status Admit();
  // Somewhere.
  absl::StatusOr<Caller> WhoMayWrite() const;
  // The next message, unless the gathering has ended.
  void Read();
  void Refuse(const grpc::Status& status);
  // On the writer's thread.
  void Run();
  grpc::Status Store();

  grpc::CallbackServerContext& context_;
  portico::v1::ApplyResponse& response_;
  const Service service_;
  std::shared_ptr<const Places::Place> place_;
  portico::v1::ApplyRequest request_;
  Gather gather_;
  const std::shared_ptr<Gathering> gathering_ = std::make_shared<Gathering>();
  grpc::Alarm alarm_;  // when the time to gather is over
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
