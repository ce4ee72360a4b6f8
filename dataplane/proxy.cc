#include "dataplane/proxy.h"

#include <csignal>
#include <utility>

#include "api/base/text.h"
#include "dataplane/admin/dump.h"
#include "dataplane/export/prometheus.h"
#include "dataplane/filters/rate_limit/rate_limit_metrics.h"
#include "dataplane/observe/families.h"
#include "dataplane/stream_options.h"
#include "dataplane/worker/default_workers.h"

namespace portico::proxy {

using observe::Severity;

namespace {

// "--admin_address: 127.0.0.1:9901: address in use"
absl::Status FlagError(std::string_view flag, const absl::Status& status) {
  if (status.ok()) return status;
  return {status.code(), base::ToAbsl(base::Concat(flag, ": ", base::ToStd(status.message())))};
}

}  // namespace

Proxy::Proxy(event::LibeventLoop& loop, const Options& options, observe::ProcessLog& log,
             exporting::LogFile& access_log, yaml::FileReader& files, const check::KeyPairChecker& key_pairs)
    : loop_(loop),
      options_(options),
      files_(files),
      key_pairs_(key_pairs),
      log_(log),
      access_log_(access_log),
      signals_(loop, {SIGTERM, SIGINT, SIGHUP}, *this),
      network_(loop, [this](std::string_view what) { log_.Write(Severity::kWarning, what); }),
      resolver_(loop, options.dns_servers),
      workers_(loop, resolver_, options.workers.value_or(worker::DefaultWorkers()), &access_log, log),
      admin_(loop, network_, pool_, *this) {}

Proxy::~Proxy() = default;

bool Proxy::Start() {
  if (const absl::Status claim = ClaimSockets(); !claim.ok()) {
    log_.Write(Severity::kError, base::ToStd(claim.message()));
    exit_code_ = 1;
    return false;
  }
  if (const absl::Status admin = ListenForAdmin(); !admin.ok()) {
    log_.Write(Severity::kError, base::ToStd(admin.message()));
    exit_code_ = 1;
    return false;
  }
  if (const absl::Status source = StartSource(); !source.ok()) {
    log_.Write(Severity::kError, base::ToStd(source.message()));
    exit_code_ = absl::IsInvalidArgument(source) ? 2 : 1;  // 2: a flag is wrong
    return false;
  }
  return true;
}

absl::Status Proxy::StartSource() {
  if (options_.config.empty()) {
    absl::StatusOr<xds::StreamSource::Options> options = StreamOptionsOf(options_, files_);
    if (!options.ok()) return options.status();
    options->build.filters = filter_state_;
    xds::StreamSource::Handler& handler = *this;
    stream_source_ =
        std::make_unique<xds::StreamSource>(loop_, network_, pool_, *std::move(options), key_pairs_, log_, handler);
    stream_source_->Start();
    return absl::OkStatus();
  }
  source::FileSource::Handler& handler = *this;
  snapshot::BuildOptions build = BuildOptionsOf(options_);
  build.filters = filter_state_;
  auto source = source::FileSource::Start(
      loop_, {.path = options_.config, .gateway = options_.gateway, .build = std::move(build)}, files_, key_pairs_,
      handler);
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  source_->Reload();
  return absl::OkStatus();
}

void Proxy::OnCandidate(source::Candidate candidate) {
  for (const load::Finding& finding : candidate.findings)
    log_.Write(finding.is_error ? Severity::kError : Severity::kWarning, finding.ToString());
  if (candidate.snapshot == nullptr) return Refuse("the configuration is refused");
  Publish(std::move(candidate.snapshot));
}

void Proxy::OnSnapshot(std::shared_ptr<snapshot::Snapshot> snapshot, const std::string& what) {
  streamed_ = base::Concat(" (", what, ")");
  Publish(std::move(snapshot));
}

void Proxy::OnRefused() {
  CountReload(false);
}

// Only what comes into force counts.
void Proxy::Publish(std::shared_ptr<snapshot::Snapshot> next) {
  if (state_ == State::kDraining) return;
  if (publishing_ || handing_over_) {
    next_ = std::move(next);
    return;
  }
  next->revision = current_ == nullptr ? 1 : current_->revision + 1;
  publishing_ = true;
  // Whoever wrote a file is there to read why this ends; of many proxies that start nobody may be.
  const worker::IfBusy if_busy = stream_source_ == nullptr ? worker::IfBusy::kRefuse : worker::IfBusy::kWait;
  workers_.Publish(next, [this, next](const absl::Status& status) { OnPublished(next, status); }, if_busy);
}

void Proxy::OnPublished(std::shared_ptr<const snapshot::Snapshot> next, const absl::Status& status) {
  publishing_ = false;
  if (status.ok()) {
    current_ = std::move(next);
    CountReload(true);
    log_.Write(Severity::kInfo, base::Concat("configuration ", current_->revision, streamed_, " of gateway ",
                                             current_->gateway, " is in force on ", workers_.count(), " workers"));
  } else if (stream_source_ == nullptr) {
    log_.Write(Severity::kError, base::ToStd(status.message()));
    Refuse("the configuration is refused");
  }
  if (state_ == State::kStarting && current_ != nullptr) BeginServing();
  if (next_ != nullptr) Publish(std::exchange(next_, nullptr));
  if (sockets_wanted_) GiveSockets();
  if (stream_source_ != nullptr) stream_source_->OnPublished(status);
}

// What was in force goes on; at the start there is nothing, and serving nothing helps nobody.
void Proxy::Refuse(const std::string& why) {
  CountReload(false);
  if (current_ == nullptr) {
    log_.Write(Severity::kError, base::Concat(why, "; there is none before it, so this ends"));
    return End(1);
  }
  log_.Write(Severity::kError, base::Concat(why, "; configuration ", current_->revision, " stays in force"));
}

void Proxy::CountReload(bool accepted) {
  workers_.metrics().GaugeOf(observe::kConfigurationLastReloadSuccessful, {}).Set(accepted ? 1 : 0);
}

absl::Status Proxy::ListenForAdmin() {
  if (options_.admin_address) {
    const bool read_only = !options_.admin_address->IsLoopback();
    const absl::Status status = admin_.Listen(*options_.admin_address, admin::Pages::kAll, read_only);
    if (!status.ok()) return FlagError("--admin_address", status);
  }
  if (!options_.probe_address) return absl::OkStatus();
  return FlagError("--probe_address", admin_.Listen(*options_.probe_address, admin::Pages::kProbes, true));
}

// A person at a terminal does not wait for a load balancer to notice.
void Proxy::OnSignal(int number) {
  if (number == SIGHUP) {
    log_.Write(Severity::kInfo, source_ == nullptr ? "reopening the access log"
                                                   : "reading the configuration anew and reopening the access log");
    access_log_.Reopen();
    if (source_ != nullptr) source_->Reload();
    return;
  }
  if (state_ != State::kServing) return End(state_ == State::kDraining ? 0 : 1);
  Drain(number == SIGINT ? base::Duration(0) : options_.drain_delay);
}

void Proxy::Drain(base::Duration delay) {
  state_ = State::kDraining;
  log_.Write(Severity::kInfo, "draining; a second signal ends at once");
  if (stream_source_ != nullptr) stream_source_->Stop();
  workers_.Drain(delay, options_.drain_timeout, [this] {
    log_.Write(Severity::kInfo, "drained");
    End(0);
  });
}

void Proxy::End(int exit_code) {
  exit_code_ = exit_code;
  loop_.Stop();
}

// Nothing runs yet: it may wait.
absl::Status Proxy::ClaimSockets() {
  const std::string& path = options_.takeover;
  if (path.empty()) return absl::OkStatus();
  takeover::Offer::Handler& handler = *this;
  auto offer = takeover::Offer::Create(loop_, path, handler, {});
  if (!offer.ok()) return FlagError("--takeover", offer.status());
  offer_ = *std::move(offer);
  auto claim = takeover::Claim::Ask(path);
  if (absl::IsNotFound(claim.status())) {
    log_.Write(Severity::kInfo, base::Concat("--takeover: ", base::ToStd(claim.status().message())));
    return absl::OkStatus();
  }
  if (!claim.ok()) return FlagError("--takeover", claim.status());
  claim_ = *std::move(claim);
  auto sockets = claim_->ReceiveSockets();
  if (!sockets.ok()) return FlagError("--takeover", sockets.status());
  log_.Write(Severity::kInfo,
             base::Concat("taking over from process ", claim_->incumbent(), ": ", sockets->size(), " sockets"));
  std::vector<net::ListeningSocket> for_workers, for_admin;
  std::set<uint16_t> admin_ports;
  for (net::ListeningSocket& socket : *sockets) {
    if (!socket.share_port) admin_ports.insert(socket.address.port());
    (socket.share_port ? for_workers : for_admin).push_back(std::move(socket));
  }
  workers_.Inherit(std::move(for_workers));
  network_.Adopt(std::move(for_admin), std::move(admin_ports));
  inheriting_ = true;
  takeover::Claim::Handler& follower = *this;
  claim_->Follow(loop_, follower);
  return absl::OkStatus();
}

// The first configuration is in force.
void Proxy::BeginServing() {
  if (!inheriting_) return Serve();
  if (!incumbent_gone_) return claim_->Ready();
  workers_.Release([this] { Serve(); });
}

void Proxy::Serve() {
  if (state_ != State::kStarting) return;
  state_ = State::kServing;
  inheriting_ = false;
  if (offer_ == nullptr) return;
  const absl::Status open = offer_->Open();
  if (!open.ok()) log_.Write(Severity::kError, base::ToStd(FlagError("--takeover", open).message()));
}

void Proxy::OnGo() {
  network_.Release();
  workers_.Release([this] {
    std::set<net::Address> addresses = workers_.addresses();
    for (const net::Address& address : admin_.addresses())
      addresses.insert(address);
    const absl::Status told = claim_->Serving({addresses.begin(), addresses.end()});
    log_.Write(told.ok() ? Severity::kInfo : Severity::kWarning,
               told.ok() ? base::Concat("serving in the place of process ", claim_->incumbent())
                         : base::Concat("process ", claim_->incumbent(), " is gone: ", base::ToStd(told.message())));
    Serve();
  });
}

// Whoever waits in the queues waits for the first configuration, but the admin's pages are there.
void Proxy::OnIncumbentGone() {
  log_.Write(Severity::kWarning, base::Concat("process ", claim_->incumbent(),
                                              " is gone before this one serves; its sockets are this one's now"));
  incumbent_gone_ = true;
  network_.Release();
  if (current_ != nullptr) BeginServing();
}

void Proxy::OnDenied(const std::string& why) {
  log_.Write(Severity::kError, base::Concat("--takeover: process ", claim_->incumbent(), " goes on: ", why));
  End(1);
}

void Proxy::OnAsked(pid_t successor) {
  log_.Write(Severity::kInfo, base::Concat("process ", successor, " asks to take over"));
  handing_over_ = true;
  sockets_wanted_ = true;
  if (!publishing_) GiveSockets();
}

void Proxy::GiveSockets() {
  sockets_wanted_ = false;
  workers_.ShareSockets([this](absl::StatusOr<std::vector<net::ListeningSocket>> sockets) {
    absl::StatusOr<std::vector<net::ListeningSocket>> own = network_.ShareSockets();
    if (!sockets.ok() || !own.ok()) {
      return offer_->Refuse(base::ToStd((sockets.ok() ? own : sockets).status().message()));
    }
    for (net::ListeningSocket& socket : *own)
      sockets->push_back(std::move(socket));
    offer_->Give(*sockets);
  });
}

// A process that drains already goes on with that.
void Proxy::OnServing(pid_t successor, const std::set<net::Address>& addresses) {
  log_.Write(Severity::kInfo, base::Concat("process ", successor, " serves in the place of this one"));
  network_.GiveUp(addresses);
  workers_.GiveUp(addresses);
  if (state_ == State::kServing) Drain(base::Duration(0));
}

void Proxy::OnStays(const std::string& why) {
  log_.Write(Severity::kWarning, base::Concat("not taken over: ", why, "; this process goes on"));
  handing_over_ = false;
  sockets_wanted_ = false;
  if (next_ != nullptr) Publish(std::exchange(next_, nullptr));
}

void Proxy::OnTurnedAway(const std::string& why) {
  log_.Write(Severity::kWarning, base::Concat("--takeover: turned away: ", why));
}

admin::AdminView::Readiness Proxy::Ready() {
  Readiness readiness;
  for (const auto& [number, why] : workers_.busy_ports())
    readiness.missing.push_back(why);
  const bool any = readiness.missing.empty() || readiness.missing.size() < current_->ports.size();
  readiness.ready = state_ == State::kServing && any;
  return readiness;
}

void Proxy::ReadMetrics(std::function<void(std::string)> done) {
  observe::MetricsSnapshot metrics = workers_.ReadMetrics();
  rate_limit::AddMetrics(filter_state_.rate_limits->tables, metrics);
  done(exporting::PrometheusText(metrics));
}

std::string Proxy::SnapshotText() {
  return current_ == nullptr ? "" : admin::SnapshotPage(*current_);
}

void Proxy::ReadClusters(std::function<void(std::string)> done) {
  workers_.Inspect([done = std::move(done)](const std::vector<worker::ClusterState>& clusters) {
    done(admin::ClustersPage(clusters));
  });
}

}  // namespace portico::proxy
