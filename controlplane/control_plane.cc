#include "controlplane/control_plane.h"

#include <unistd.h>

#include <climits>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "controlplane/access/rights.h"
#include "controlplane/admin_token.h"
#include "controlplane/change_line.h"
#include "controlplane/storage.h"
#include "controlplane/xds/counters.h"
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

// "edge-control-1/4711": which process a proxy is connected to.
std::string ProcessName() {
  char host[HOST_NAME_MAX + 1] = {};
  gethostname(host, sizeof host - 1);
  return base::Concat(base::Printable(host), "/", getpid());
}

void TellChanges(const north::ChangeCounts& counts, admin::State& state) {
  state.change_calls = {{"stored", counts.stored},       {"unchanged", counts.unchanged}, {"tried", counts.tried},
                        {"overtaken", counts.overtaken}, {"refused", counts.refused},     {"failed", counts.failed}};
  const auto& bounds = north::ChangeCounts::kBoundsMicros;
  state.change_durations = {
      {bounds.begin(), bounds.end()}, {counts.durations.begin(), counts.durations.end()}, counts.duration_micros};
}

north::Gatekeeper::Options GatekeeperOptions(const Options& options, std::string admin_token_sha256,
                                             change::Changes& changes, const change::Changes::Clock& now,
                                             const ControlPlane::Log& log) {
  return {.now = now,
          .certificates = options.tls.has_value(),
          .anonymous = options.anonymous_role,
          .admin_token_sha256 = std::move(admin_token_sha256),
          .admin_token_ends = [&changes, log] {
            const absl::Status status = EndAdminToken(changes);
            log("somebody is Admin in all namespaces: the admin token is good no more");
            if (!status.ok()) log(base::ToStd(status.message()));  // a start finds the Admin
          }};
}

void WarnIfOpen(const change::Changes& changes, const Options& options, const ControlPlane::Log& log) {
  if (access::HasRoles(changes.Now()->configuration)) {
    if (options.tls) return;
    return log(
        "discovery is in clear: whoever is on this machine may read all that proxies get, Secrets included, "
        "whatever Roles say; see docs/access.md");
  }
  log(base::Concat("there is no Role yet: whoever ", options.tls ? "has a client certificate" : "is on this machine",
                   " may read and write everything; see docs/access.md"));
}

}  // namespace

ControlPlane::Serving::Serving(std::unique_ptr<change::Changes> opened, const Options& options,
                               std::string admin_token_sha256, const change::Changes::Clock& now, const Log& log)
    : changes(std::move(opened)),
      first_revision(changes->Now()->revision),
      fleet(now),
      gatekeeper(*changes, GatekeeperOptions(options, std::move(admin_token_sha256), *changes, now, log)),
      config_service(*changes, gatekeeper, writer, {.fleet = &fleet, .now = now}),
      fleet_service(fleet, gatekeeper),
      discovery_service(FollowOf(*changes), fleet, {.identifier = ProcessName()}) {
  changes->Follow([this](const model::Step& step) {
    if (north::ChangesAccess(step)) fleet_service.JudgeAgain();
  });
}

ControlPlane::ControlPlane(const Options& options, const check::KeyPairChecker& key_pairs, change::Changes::Clock now,
                           Log log)
    : options_(options), key_pairs_(key_pairs), now_(std::move(now)), log_(std::move(log)) {}

absl::StatusOr<std::unique_ptr<ControlPlane>> ControlPlane::Start(const Options& options,
                                                                  const check::KeyPairChecker& key_pairs,
                                                                  change::Changes::Clock now, Log log) {
  std::unique_ptr<ControlPlane> control_plane(new ControlPlane(options, key_pairs, std::move(now), std::move(log)));
  if (!options.admin_address) return control_plane;
  absl::StatusOr<std::unique_ptr<admin::AdminServer>> admin_server =
      admin::AdminServer::Start(*options.admin_address, [&it = *control_plane] { return it.State(); });
  if (!admin_server.ok()) return admin_server.status();
  control_plane->admin_server_ = *std::move(admin_server);
  return control_plane;
}

admin::State ControlPlane::State() const {
  admin::State state;
  const Serving* serving = nullptr;
  {
    absl::MutexLock lock(&mutex_);
    state.ready = why_not_.empty();
    state.why_not = why_not_;
    serving = shown_;
  }
  if (serving == nullptr) return state;
  state.model = serving->changes->Now();
  state.changes = state.model->revision - serving->first_revision;
  TellChanges(serving->config_service.counts(), state);
  state.proxies = serving->fleet.Count();
  state.discovery = serving->discovery_service.counts();
  return state;
}

void ControlPlane::SetWhyNot(std::string_view why_not) {
  absl::MutexLock lock(&mutex_);
  why_not_ = why_not;
}

absl::Status ControlPlane::Open() {
  absl::StatusOr<std::unique_ptr<change::Changes>> changes = OpenChanges(options_, key_pairs_, now_, log_);
  if (!changes.ok()) return changes.status();
  absl::StatusOr<std::string> admin_token = PrepareAdminToken(options_, **changes, now_(), log_);
  if (!admin_token.ok()) return admin_token.status();
  admin_token_sha256_ = *std::move(admin_token);
  WarnIfOpen(**changes, options_, log_);
  LogChanges(**changes, log_);
  opened_ = *std::move(changes);
  SetWhyNot("the servers start");
  return absl::OkStatus();
}

absl::Status ControlPlane::Serve() {
  serving_ = std::make_unique<Serving>(std::move(opened_), options_, admin_token_sha256_, now_, log_);
  const std::vector<grpc::Service*> api_services = {&serving_->config_service, &serving_->fleet_service};
  absl::StatusOr<std::unique_ptr<north::Server>> api_server =
      north::Server::Start({.flag = "--api_address",
                            .address = options_.api_address,
                            .tls = options_.tls,
                            .admits = [&gatekeeper = serving_->gatekeeper](
                                          std::string_view authorization) { return gatekeeper.Admits(authorization); }},
                           key_pairs_, log_, api_services);
  if (!api_server.ok()) return api_server.status();
  serving_->api_server = *std::move(api_server);

  const std::vector<grpc::Service*> discovery_services = {&serving_->discovery_service};
  absl::StatusOr<std::unique_ptr<north::Server>> discovery_server = north::Server::Start(
      {"--discovery_address", options_.discovery_address, options_.tls}, key_pairs_, log_, discovery_services);
  if (!discovery_server.ok()) return discovery_server.status();
  serving_->discovery_server = *std::move(discovery_server);
  absl::MutexLock lock(&mutex_);
  shown_ = serving_.get();
  why_not_ = "";
  return absl::OkStatus();
}

std::string ControlPlane::AdminLine() const {
  return admin_server_ == nullptr ? "" : base::Concat("admin_address=", admin_server_->address(), "\n");
}

std::string ControlPlane::AddressLines() const {
  return base::Concat("api_address=", serving_->api_server->address(),
                      "\ndiscovery_address=", serving_->discovery_server->address(), "\n");
}

void ControlPlane::Stop() {
  SetWhyNot("it ends");
  serving_->config_service.End();
  serving_->fleet_service.End();
  serving_->discovery_service.End();
  serving_->discovery_server->Stop();
  serving_->api_server->Stop();
  serving_->writer.End();
}

}  // namespace portico::controlplane
