#include "dataplane/worker/workers.h"

#include <chrono>
#include <random>
#include <set>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/listener/bind_address.h"
#include "dataplane/observe/families.h"
#include "dataplane/observe/resident_memory.h"
#include "dataplane/shared/thread.h"
#include "dataplane/worker/default_workers.h"
#include "dataplane/worker/worker.h"

namespace portico::worker {
namespace {

uint64_t SeedFromKernel() {
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

exporting::LogTarget LogTargetOf(const snapshot::AccessLogTarget& target) {
  using Kind = exporting::LogTarget::Kind;
  switch (target.kind) {
    case snapshot::AccessLogTarget::Kind::kStandardOutput:
      return {Kind::kStandardOutput, ""};
    case snapshot::AccessLogTarget::Kind::kFile:
      return {Kind::kFile, target.path};
    case snapshot::AccessLogTarget::Kind::kNone:
      break;
  }
  return {Kind::kNone, ""};
}

bool HasPort(const snapshot::Snapshot* snapshot, uint16_t number) {
  if (snapshot == nullptr) return false;
  for (const std::shared_ptr<const snapshot::Port>& port : snapshot->ports)
    if (port->number == number) return true;
  return false;
}

absl::Status Draining() {
  return absl::FailedPreconditionError("the proxy is draining: it takes no new configuration");
}

void AddValue(observe::MetricsSnapshot& metrics, const observe::Family& family, observe::SeriesValue value) {
  observe::MetricsSnapshot one;
  one[family.name] = {&family, {{{}, value}}};
  observe::Merge(metrics, one);
}

}  // namespace

// Made on the main thread, run on its own, destroyed on the main thread after the join.
struct Workers::Thread {
  Thread(size_t number, SharedLimits& limits, exporting::LogFile* access_log, observe::ProcessLog& log)
      : network(loop, [&log](std::string_view text) { log.Write(observe::Severity::kWarning, text); }),
        worker({loop, network, SeedFromKernel(), metrics, access_log, &limits, DefaultConnectionsMax()}),
        thread(base::Concat("worker-", number), [this] { loop.Run(); }) {}

  event::LibeventLoop loop;
  net::SocketNetwork network;
  observe::Metrics metrics;
  Worker worker;
  shared::Thread thread;
};

Workers::Workers(event::LibeventLoop& main, size_t count, exporting::LogFile* access_log, observe::ProcessLog& log)
    : main_(main),
      access_log_(access_log),
      network_(main),
      self_(std::make_shared<Workers*>(this)),
      timer_(main.timers(), *this) {
  PORTICO_CHECK(count > 0);
  for (size_t i = 0; i < count; ++i)
    threads_.push_back(std::make_unique<Thread>(i, limits_, access_log, log));
}

// All are told before the first is waited for. The turn that stops a loop ends with its deletions.
Workers::~Workers() {
  for (const std::unique_ptr<Thread>& thread : threads_) {
    thread->loop.Post([one = thread.get()] {
      one->worker.Close();
      one->loop.Stop();
    });
  }
}

// What a worker reports is run on the main thread; `all` after the last of them. Nothing of this object is touched on
// a worker's thread.
void Workers::AskAll(std::function<Report(Worker&)> ask, std::function<void()> all) {
  const uint64_t question = ++last_question_;
  questions_[question] = {threads_.size(), std::move(all)};
  const std::weak_ptr<Workers*> self = self_;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    thread->loop.Post([ask, question, self, &main = main_, &worker = thread->worker] {
      main.Post([self, question, report = ask(worker)] {
        if (const std::shared_ptr<Workers*> workers = self.lock()) (*workers)->OnReport(question, report);
      });
    });
  }
}

void Workers::OnReport(uint64_t question, const Report& report) {
  if (report) report();
  const auto asked = questions_.find(question);
  if (--asked->second.missing > 0) return;
  const std::function<void()> all = std::move(asked->second.all);
  questions_.erase(asked);
  all();
}

void Workers::Publish(std::shared_ptr<const snapshot::Snapshot> snapshot, std::function<void(absl::Status)> done) {
  PORTICO_CHECK(!publication_, "one publication at a time");
  publication_ = {std::move(snapshot), std::move(done), absl::OkStatus()};
  publication_->status = Probe(*publication_->snapshot);
  if (drain_step_ != DrainStep::kNone) publication_->status = Draining();
  if (!publication_->status.ok()) {
    return AskAll([](Worker&) { return nullptr; }, [this] { Refuse(); });
  }
  const auto ask = [this, next = publication_->snapshot](Worker& worker) -> Report {
    return [this, status = worker.Prepare(next)] {
      if (publication_->status.ok()) publication_->status = status;
    };
  };
  AskAll(ask, [this] {
    if (drain_step_ != DrainStep::kNone) publication_->status = Draining();
    publication_->status.ok() ? SwapAll() : Refuse();
  });
}

// Only for ports that we do not have: our own workers would be in the way.
absl::Status Workers::Probe(const snapshot::Snapshot& next) {
  const std::vector<listener::BindAddress> addresses = listener::BindAddresses(next.addresses);
  for (const std::shared_ptr<const snapshot::Port>& port : next.ports) {
    if (HasPort(current_.get(), port->number)) continue;
    for (const listener::BindAddress& bind : addresses) {
      const absl::Status status = network_.ProbePort(bind.address.WithPort(port->number));
      if (!listener::Bearable(bind, status)) return listener::PortError(*port, status);
    }
  }
  return absl::OkStatus();
}

void Workers::SwapAll() {
  if (access_log_ != nullptr) access_log_->Retarget(LogTargetOf(publication_->snapshot->access_log));
  const auto ask = [next = publication_->snapshot](Worker& worker) -> Report {
    worker.Swap(next);
    return nullptr;
  };
  AskAll(ask, [this] { Published(); });
}

// The workers have let go of the old snapshot. Now this thread does, and then the slots that it held can go.
void Workers::Published() {
  const std::shared_ptr<const snapshot::Snapshot> old = std::exchange(current_, std::move(publication_->snapshot));
  ShowCertificates(old.get());
  metrics_.GaugeOf(observe::kConfigurationRevision, {}).Set(static_cast<int64_t>(current_->revision));
  for (const std::unique_ptr<Thread>& thread : threads_)
    thread->loop.Post([&worker = thread->worker] { worker.SweepSlots(); });
  FinishPublication(absl::OkStatus());
}

void Workers::ShowCertificates(const snapshot::Snapshot* old) {
  const auto label = [](const snapshot::CertificateDates& dates) {
    return base::Concat(dates.secret.name_space, "/", dates.secret.name);
  };
  std::set<std::string> shown;
  for (const snapshot::CertificateDates& dates : current_->certificates) {
    const auto since_epoch = std::chrono::duration_cast<std::chrono::seconds>(dates.not_after.time_since_epoch());
    metrics_.GaugeOf(observe::kTlsCertificateNotAfter, {label(dates)}).Set(since_epoch.count());
    shown.insert(label(dates));
  }
  if (old == nullptr) return;
  for (const snapshot::CertificateDates& dates : old->certificates)
    if (!shown.contains(label(dates))) metrics_.Retire("secret", label(dates));
}

void Workers::Refuse() {
  const auto ask = [](Worker& worker) -> Report {
    worker.Abandon();
    return nullptr;
  };
  AskAll(ask, [this] { FinishPublication(publication_->status); });
}

void Workers::FinishPublication(absl::Status status) {
  const std::function<void(absl::Status)> done = std::move(publication_->done);
  publication_.reset();
  done(std::move(status));
}

void Workers::Drain(base::Duration delay, base::Duration deadline, std::function<void()> done) {
  PORTICO_CHECK(drain_step_ == DrainStep::kNone, "there is one end");
  drained_ = std::move(done);
  drain_deadline_ = deadline;
  step_ends_ = main_.Now() + delay;
  drain_step_ = DrainStep::kDelay;
  timer_.Set(step_ends_);
}

void Workers::OnTimer(event::Timer&) {
  if (drain_step_ == DrainStep::kDelay) return EnterDrainStep(DrainStep::kWarning);
  if (main_.Now() < step_ends_) return AskIfIdle();
  EnterDrainStep(drain_step_ == DrainStep::kWarning ? DrainStep::kLeaving : DrainStep::kClosing);
}

void Workers::EnterDrainStep(DrainStep step) {
  drain_step_ = step;
  if (step == DrainStep::kClosing) {
    const auto close = [](Worker& worker) -> Report {
      worker.Close();
      return nullptr;
    };
    return AskAll(close, [this] { std::exchange(drained_, nullptr)(); });
  }
  const bool final = step == DrainStep::kLeaving;
  step_ends_ = main_.Now() + (final ? kLastWords : drain_deadline_);
  const auto drain = [final](Worker& worker) -> Report {
    worker.Drain(final);
    return nullptr;
  };
  AskAll(drain, [this] { AskIfIdle(); });
}

void Workers::AskIfIdle() {
  auto busy = std::make_shared<size_t>(0);
  const auto ask = [busy](Worker& worker) -> Report { return [busy, idle = worker.idle()] { *busy += idle ? 0 : 1; }; };
  AskAll(ask, [this, busy] {
    if (*busy > 0) return timer_.Set(std::min(main_.Now() + kDrainPoll, step_ends_));
    EnterDrainStep(drain_step_ == DrainStep::kWarning ? DrainStep::kLeaving : DrainStep::kClosing);
  });
}

observe::MetricsSnapshot Workers::ReadMetrics() const {
  observe::MetricsSnapshot total = metrics_.Read();
  for (const std::unique_ptr<Thread>& thread : threads_)
    observe::Merge(total, thread->metrics.Read());
  AddValue(total, observe::kMemoryResident, observe::ResidentBytes());
  if (access_log_ != nullptr) AddValue(total, observe::kAccessLogDroppedLines, access_log_->dropped_lines());
  return total;
}

void Workers::Inspect(std::function<void(std::vector<ClusterState>)> done) {
  auto states = std::make_shared<std::vector<std::vector<ClusterState>>>();
  const auto ask = [states](Worker& worker) -> Report {
    return [states, one = worker.Clusters()] { states->push_back(one); };
  };
  AskAll(ask, [states, done = std::move(done)] { done(MergeClusterStates(*states)); });
}

}  // namespace portico::worker
