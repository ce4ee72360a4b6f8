#include "controlplane/control_plane.h"

#include <utility>
#include <vector>

#include "api/base/text.h"
#include "controlplane/change_line.h"
#include "controlplane/storage.h"
#include "controlplane/xds/feed_thread.h"
#include "google/protobuf/util/time_util.h"

namespace portico::controlplane {
namespace {

// A line for each change. What a step does not know, who made it, its record does; it is stored by now.
void LogChanges(change::Changes& changes, const ControlPlane::Log& log) {
  changes.Follow([&changes, log](const model::Step& step) {
    const absl::StatusOr<change::Changes::Past> past = changes.History(step.after->revision + 1, 1);
    if (past.ok() && !past->revisions.empty()) log(ChangeLine(past->revisions.front()));
  });
}

// When a revision was made; 0 if the store does not say.
int64_t MadeOf(const change::Changes& changes, uint64_t revision) {
  const absl::StatusOr<change::Changes::Past> past = changes.History(revision + 1, 1);
  if (!past.ok() || past->revisions.empty()) return 0;
  return google::protobuf::util::TimeUtil::TimestampToMicroseconds(past->revisions[0].time());
}

xds::Follow FollowOf(change::Changes& changes) {
  return [&changes](change::Changes::Follower follower) {
    const model::SharedModel model = changes.Follow(std::move(follower));
    return xds::Beginning{model, MadeOf(changes, model->revision)};
  };
}

}  // namespace

ControlPlane::ControlPlane(std::unique_ptr<change::Changes> changes, change::Changes::Clock now)
    : changes_(std::move(changes)),
      fleet_(std::move(now)),
      config_service_(*changes_, writer_),
      fleet_service_(fleet_),
      discovery_service_(FollowOf(*changes_), fleet_, {}),
      first_revision_(changes_->Now()->revision) {}

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::Start(const Options& options,
                                                                  const check::KeyPairChecker& key_pairs,
                                                                  change::Changes::Clock now, Log log) {
  absl::StatusOr<std::unique_ptr<change::Changes>> changes = OpenChanges(options, key_pairs, now);
  if (!changes.ok()) return changes.status();
  LogChanges(**changes, log);
  std::unique_ptr<ControlPlane> control_plane(new ControlPlane(*std::move(changes), std::move(now)));
  if (absl::Status status = control_plane->Serve(options, key_pairs, log); !status.ok()) return status;
  return control_plane;
}

admin::State ControlPlane::State() const {
  const model::SharedModel now = changes_->Now();
  absl::MutexLock lock(&mutex_);
  return {ready_, now, now->revision - first_revision_};
}

void ControlPlane::SetReady(bool ready) {
  absl::MutexLock lock(&mutex_);
  ready_ = ready;
}

absl::Status ControlPlane::Serve(const Options& options, const check::KeyPairChecker& key_pairs, const Log& log) {
  if (options.admin_address) {  // first: a probe of a start that takes long is told that it is not ready
    absl::StatusOr<std::unique_ptr<admin::AdminServer>> admin_server =
        admin::AdminServer::Start(*options.admin_address, [this] { return State(); });
    if (!admin_server.ok()) return admin_server.status();
    admin_server_ = *std::move(admin_server);
  }

  const std::vector<grpc::Service*> api_services = {&config_service_, &fleet_service_};
  absl::StatusOr<std::unique_ptr<north::Server>> api_server =
      north::Server::Start({"--api_address", options.api_address, options.tls}, key_pairs, log, api_services);
  if (!api_server.ok()) return api_server.status();
  api_server_ = *std::move(api_server);

  const std::vector<grpc::Service*> discovery_services = {&discovery_service_};
  absl::StatusOr<std::unique_ptr<north::Server>> discovery_server =
      north::Server::Start({"--discovery_address", options.discovery_address, options.tls, /*for_proxies=*/true},
                           key_pairs, log, discovery_services);
  if (!discovery_server.ok()) return discovery_server.status();
  discovery_server_ = *std::move(discovery_server);
  SetReady(true);
  return absl::OkStatus();
}

std::string ControlPlane::AddressLines() const {
  std::string lines;
  if (admin_server_ != nullptr) lines += base::Concat("admin_address=", admin_server_->address(), "\n");
  lines += base::Concat("api_address=", api_server_->address(), "\n");
  return lines + base::Concat("discovery_address=", discovery_server_->address(), "\n");
}

void ControlPlane::Stop() {
  SetReady(false);
  config_service_.End();
  fleet_service_.End();
  discovery_service_.End();
  discovery_server_->Stop();
  api_server_->Stop();
}

}  // namespace portico::controlplane
