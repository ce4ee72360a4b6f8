#ifndef PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
#define PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_

#include <grpcpp/server_context.h>
#include <grpcpp/support/server_callback.h>

#include "api/portico/v1/config_service.pb.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/counted_changes.h"
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/gather.h"
#include "controlplane/north/writer.h"

namespace portico::north {

// One Apply: gathers its messages, if it is known who calls, then is judged and stored on the writer's thread. Deletes
// itself. `fleet` may be nullptr (ConfigServiceOptions).
class ApplyCall final : public grpc::ServerReadReactor<portico::v1::ApplyRequest> {
 public:
  ApplyCall(grpc::CallbackServerContext& context, portico::v1::ApplyResponse& response, CountedChanges& changes,
            const Gatekeeper& gatekeeper, Writer& writer, fleet::Fleet* fleet);

 private:
  void OnReadDone(bool ok) override;
  void OnDone() override { delete this; }

  void Run();  // on the writer's thread

  grpc::CallbackServerContext& context_;
  portico::v1::ApplyResponse& response_;
  CountedChanges& changes_;
  const Gatekeeper& gatekeeper_;
  Writer& writer_;
  fleet::Fleet* const fleet_;
  portico::v1::ApplyRequest request_;
  Gather gather_;
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_APPLY_CALL_H_
