#include "dataplane/proxy.h"

#include <csignal>
#include <utility>

#include "api/base/text.h"
#include "dataplane/admin/dump.h"
#include "dataplane/export/prometheus.h"
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
      workers_(loop, options.workers.value_or(worker::DefaultWorkers()), &access_log, log),
      admin_(loop, network_, pool_, *this) {}

Proxy::~Proxy() = default;

bool Proxy::Start() {
  if (const absl::Status admin = ListenForAdmin(); !admin.ok()) {
    log_.Write(Severity::kError, base::ToStd(admin.message()));
    exit_code_ = 1;
    return false;
  }
  if (const absl::Status source = StartSource(); !source.ok()) {
    log_.Write(Severity::kError, base::ToStd(source.message()));
    exit_code_ = 1;
    return false;
  }
  return true;
}

absl::Status Proxy::StartSource() {
  if (options_.config.empty()) {
    absl::StatusOr<xds::StreamSource::Options> options = StreamOptionsOf(options_, files_);
    if (!options.ok()) return options.status();
    xds::StreamSource::Handler& handler = *this;
    stream_source_ =
        std::make_unique<xds::StreamSource>(loop_, network_, pool_, *std::move(options), key_pairs_, log_, handler);
    stream_source_->Start();
    return absl::OkStatus();
  }
  source::FileSource::Handler& handler = *this;
  auto source = source::FileSource::Start(
      loop_, {.path = options_.config, .gateway = options_.gateway, .build = BuildOptionsOf(options_)}, files_,
      key_pairs_, handler);
  if (!source.ok()) return source.status();
  source_ = *std::move(source);
  source_->Reload();
  return absl::OkStatus();
}

void Proxy::OnCandidate(source::Candidate candidate) {
  for (const load::Finding& finding : candidate.findings)
    log_.Write(finding.is_error ? Severity::kError : Severity::kWarning, finding.ToString());
  if (candidate.snapshot == nullptr) return Refuse("the configuration is refused");
  if (publishing_) {
    next_ = std::move(candidate.snapshot);
  } else {
    Publish(std::move(candidate.snapshot));
  }
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
  next->revision = current_ == nullptr ? 1 : current_->revision + 1;
  publishing_ = true;
  workers_.Publish(next, [this, next](const absl::Status& status) { OnPublished(next, status); });
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
  if (state_ == State::kStarting && current_ != nullptr) state_ = State::kServing;
  if (next_ != nullptr) Publish(std::exchange(next_, nullptr));
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
  workers_.Drain(delay, options_.drain_timeout, [this] {
    log_.Write(Severity::kInfo, "drained");
    End(0);
  });
}

void Proxy::End(int exit_code) {
  exit_code_ = exit_code;
  loop_.Stop();
}

void Proxy::ReadMetrics(std::function<void(std::string)> done) {
  done(exporting::PrometheusText(workers_.ReadMetrics()));
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
