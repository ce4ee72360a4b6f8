#ifndef PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
#define PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include <memory>

#include "absl/status/status.h"
#include "api/portico/v1/config_service.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/counted_changes.h"
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/gather.h"
#include "controlplane/north/places.h"
#include "controlplane/north/writer.h"

namespace portico::north {

// One Apply: gathers its messages, if its caller may write somewhere and there is a place, then is judged and stored on
// the writer's thread. Deletes itself.
class ApplyCall final : public grpc::ServerReadReactor<portico::v1::ApplyRequest> {
 public:
  // What all of them share; outlives them.
  struct Service {
    CountedChanges& changes;
    const Gatekeeper& gatekeeper;
    Writer& writer;
    Places& places;
    fleet::Fleet* fleet;  // nullptr: ConfigServiceOptions
  };
  ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response, const Service& service);

 private:
  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

  absl::Status Admit();
  void Run();  // on the writer's thread

  grpc::CallbackServerContext& context_;
  portico::v1::ApplyResponse& response_;
  const Service service_;
  std::shared_ptr<const Places::Place> place_;
  portico::v1::ApplyRequest request_;
  Gather gather_;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
