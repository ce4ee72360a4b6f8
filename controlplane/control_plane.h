#ifndef PORTICO_CONTROLPLANE_CONTROL_PLANE_H_
#define PORTICO_CONTROLPLANE_CONTROL_PLANE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

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
#include "controlplane/north/gatekeeper.h"
#include "controlplane/north/server.h"
#include "controlplane/north/writer.h"
#include "controlplane/options.h"
#include "controlplane/xds/discovery_service.h"

namespace portico::controlplane {

// Everything that serves, put together: the configuration, its API at one address, discovery at
// another, and pages for probes at a third.
//
//   ASSIGN control_plane = ControlPlane::Start(options, key_pairs, now, log);   // probes are answered
//   …print control_plane->AdminLine()…
//   status = control_plane->Open();     // may take long; makes no thread, and may be broken off by a signal
//   status = control_plane->Serve();
//   …print control_plane->AddressLines(), wait for a signal…
//   control_plane->Stop();
//
// Errors name the flag at fault.
class ControlPlane {
 public:
  using Log = north::Server::Log;

  // `options` and `key_pairs` must outlive the result; `now` (microseconds since 1970) and `log` are called on any
  // thread.
  static absl::StatusOr<std::unique_ptr<ControlPlane>> Start(const Options& options,
                                                             const check::KeyPairChecker& key_pairs,
                                                             change::Changes::Clock now, Log log);
  // Reads the store.
  absl::Status Open();
  // Serves when it returns.
  absl::Status Serve();

  // Ends what would go on for ever, answers what else runs, and closes. Once, after Serve.
  void Stop();

  // "admin_address=127.0.0.1:9902", and the two others, a line each, with the ports that they have.
  std::string AdminLine() const;
  std::string AddressLines() const;

 private:
  // What there is once the store is open. Each stands on those above it.
  struct Serving {
    Serving(std::unique_ptr<change::Changes> opened, const Options& options, std::string admin_token_sha256,
            const change::Changes::Clock& now, const Log& log);
    // No task of the writer's is left when what it uses goes.
    ~Serving() { writer.End(); }

    const std::unique_ptr<change::Changes> changes;
    const uint64_t first_revision;
    north::Writer writer;
    fleet::Fleet fleet;
    north::Gatekeeper gatekeeper;
    north::ConfigService config_service;
    north::FleetService fleet_service;
    xds::DiscoveryService discovery_service;
    std::unique_ptr<north::Server> api_server;
    std::unique_ptr<north::Server> discovery_server;
  };

  ControlPlane(const Options& options, const check::KeyPairChecker& key_pairs, change::Changes::Clock now, Log log);

  admin::State State() const;
  // "": it is ready.
  void SetWhyNot(std::string_view why_not);

  const Options& options_;
  const check::KeyPairChecker& key_pairs_;
  const change::Changes::Clock now_;
  const Log log_;
  std::unique_ptr<change::Changes> opened_;  // between Open and Serve
  std::string admin_token_sha256_;
  std::unique_ptr<Serving> serving_;
  mutable absl::Mutex mutex_;
  std::string_view why_not_ ABSL_GUARDED_BY(mutex_) = "the store is being opened";
  const Serving* shown_ ABSL_GUARDED_BY(mutex_) = nullptr;  // to who asks for the state
  std::unique_ptr<admin::AdminServer> admin_server_;
};

}  // namespace portico::controlplane

#endif  // PORTICO_CONTROLPLANE_CONTROL_PLANE_H_
