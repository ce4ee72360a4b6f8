#ifndef PORTICO_CONTROLPLANE_CONTROL_PLANE_H_
#define PORTICO_CONTROLPLANE_CONTROL_PLANE_H_

#include <memory>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/check/key_pair.h"
#include "controlplane/admin/admin_server.h"
#include "controlplane/admin/pages.h"
#include "controlplane/change/changes.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/north/config_service.h"
#include "controlplane/north/fleet_service.h"
#include "controlplane/north/server.h"
#include "controlplane/north/writer.h"
#include "controlplane/options.h"
#include "controlplane/xds/discovery_service.h"

namespace portico::controlplane {

// Everything that serves, put together: the configuration, its API at one address, discovery at
// another, and pages for probes at a third.
//
//   ASSIGN control_plane = ControlPlane::Start(options, key_pairs, now, log);
//   …until a signal…
//   control_plane->Stop();
class ControlPlane {
 public:
  using Log = north::Server::Log;

  // Serves when it returns. Errors name the flag at fault. `key_pairs` must outlive the result; `now` and `log` are
  // called on any thread.
  static absl::StatusOr<std::unique_ptr<ControlPlane>> Start(const Options& options,
                                                             const check::KeyPairChecker& key_pairs,
                                                             change::Changes::Clock now, Log log);

  // Ends what would go on for ever, answers what else runs, and closes. Once.
  void Stop();

  // "api_address=127.0.0.1:9900" and so on, a line each, with the ports that they have.
  std::string AddressLines() const;

 private:
  ControlPlane(std::unique_ptr<change::Changes> changes, change::Changes::Clock now);

  absl::Status Serve(const Options& options, const check::KeyPairChecker& key_pairs, const Log& log);

  admin::State State() const;
  void SetReady(bool ready);

  // Each stands on those above it.
  const std::unique_ptr<change::Changes> changes_;
  north::Writer writer_;
  fleet::Fleet fleet_;
  north::ConfigService config_service_;
  north::FleetService fleet_service_;
  xds::DiscoveryService discovery_service_;
  std::unique_ptr<north::Server> api_server_;
  std::unique_ptr<north::Server> discovery_server_;
  const uint64_t first_revision_;
  mutable absl::Mutex mutex_;
  bool ready_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<admin::AdminServer> admin_server_;
};

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_CONTROL_PLANE_H_
