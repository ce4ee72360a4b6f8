#include "dataplane/worker/workers.h"

#include <algorithm>
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
#include "dataplane/worker/inheritance.h"
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
        worker({loop, network, SeedFromKernel(), metrics, access_log, &limits, DefaultConnectionsMax(), &log}),
        thread(base::Concat("worker-", number), [this] { loop.Run(); }) {}

  event::LibeventLoop loop;
  net::SocketNetwork network;
  observe::Metrics metrics;
  Worker worker;
  shared::Thread thread;
};

Workers::Workers(event::LibeventLoop& main, net::Resolver& resolver, size_t count, exporting::LogFile* access_log,
                 observe::ProcessLog& log)
    : main_(main),
      access_log_(access_log),
      log_(log),
      network_(main),
      self_(std::make_shared<Workers*>(this)),
      busy_timer_(main.timers(), *this),
      timer_(main.timers(), *this),
      names_(main, resolver, SeedFromKernel(), metrics_, log,
             [this](const std::string& cluster, const std::shared_ptr<const upstream::ResolvedName>& resolved) {
               TellAddresses(cluster, resolved);
             }) {
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
void Workers::AskThreads(std::function<Report(Thread&)> ask, std::function<void()> all) {
  const uint64_t question = ++last_question_;
  questions_[question] = {threads_.size(), std::move(all)};
  const std::weak_ptr<Workers*> self = self_;
  for (const std::unique_ptr<Thread>& thread : threads_) {
    thread->loop.Post([ask, question, self, &main = main_, &one = *thread] {
      main.Post([self, question, report = ask(one)] {
        if (const std::shared_ptr<Workers*> workers = self.lock()) (*workers)->OnReport(question, report);
      });
    });
  }
}

void Workers::AskAll(std::function<Report(Worker&)> ask, std::function<void()> all) {
  AskThreads([ask = std::move(ask)](Thread& thread) { return ask(thread.worker); }, std::move(all));
}

void Workers::OnReport(uint64_t question, const Report& report) {
  if (report) report();
  const auto asked = questions_.find(question);
  if (--asked->second.missing > 0) return;
  const std::function<void()> all = std::move(asked->second.all);
  questions_.erase(asked);
  all();
}

void Workers::Publish(std::shared_ptr<const snapshot::Snapshot> snapshot, std::function<void(absl::Status)> done,
                      IfBusy if_busy) {
  Publication publication{.snapshot = std::move(snapshot), .done = std::move(done), .if_busy = if_busy};
  if (!publication_) return Begin(std::move(publication));
  PORTICO_CHECK(publication_->done == nullptr && !next_, "one publication at a time");
  next_ = std::move(publication);
}

void Workers::Begin(Publication publication) {
  publication_ = std::move(publication);
  publication_->status = Probe(*publication_);
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

// What may wait for its port is left out of what the workers get.
absl::Status Workers::Probe(Publication& publication) {
  for (const std::shared_ptr<const snapshot::Port>& port : publication.snapshot->ports) {
    const absl::Status status = ProbePort(*publication.snapshot, *port);
    if (status.ok()) continue;
    const bool may_wait = current_ == nullptr || busy_.contains(port->number);
    if (publication.if_busy == IfBusy::kRefuse || !may_wait || !absl::IsAlreadyExists(status)) return status;
    publication.busy[port->number] = base::ToStd(status.message());
  }
  if (publication.busy.empty()) return absl::OkStatus();
  publication.whole = publication.snapshot;
  publication.snapshot = Without(*publication.whole, publication.busy);
  return absl::OkStatus();
}

// Only for ports that we do not have: our own workers would be in the way, or the process that we take over.
absl::Status Workers::ProbePort(const snapshot::Snapshot& snapshot, const snapshot::Port& port) {
  if (HasPort(current_.get(), port.number) || inherited_ports_.contains(port.number)) return absl::OkStatus();
  for (const listener::BindAddress& bind : listener::BindAddresses(snapshot.addresses)) {
    const absl::Status status = network_.ProbePort(bind.address.WithPort(port.number));
    if (!listener::Bearable(bind, status)) return listener::PortError(port, status);
  }
  return absl::OkStatus();
}

void Workers::SwapAll() {
  limits_.responses().set_bytes_max(publication_->snapshot->cache_bytes_max);
  if (access_log_ != nullptr) access_log_->Retarget(LogTargetOf(publication_->snapshot->access_log));
  const auto ask = [next = publication_->snapshot](Worker& worker) -> Report {
    worker.Swap(next);
    return nullptr;
  };
  AskAll(ask, [this] { Published(); });
}

// The workers have let go of the old snapshot. Now this thread does, and then the slots that it held can go. Purges
// come first: the backends and rules before this one, which may be what was wrong, fill nothing any more.
void Workers::Published() {
  const std::shared_ptr<const snapshot::Snapshot> old = std::exchange(current_, std::move(publication_->snapshot));
  limits_.responses().Obey(current_->purges);
  ShowCertificates(old.get());
  metrics_.GaugeOf(observe::kConfigurationRevision, {}).Set(static_cast<int64_t>(current_->revision));
  for (const std::unique_ptr<Thread>& thread : threads_)
    thread->loop.Post([&worker = thread->worker] { worker.SweepSlots(); });
  names_.Swap(current_->clusters);
  whole_ = std::move(publication_->whole);
  ShowBusyPorts(std::move(publication_->busy));
  FinishPublication(absl::OkStatus());
}

void Workers::ShowBusyPorts(BusyPorts busy) {
  for (const auto& [number, why] : busy) {
    if (busy_.contains(number)) continue;
    log_.Write(observe::Severity::kWarning, base::Concat(why, "; the other ports serve, and it is tried again"));
  }
  for (const auto& [number, why] : busy_) {
    if (HasPort(current_.get(), number))
      log_.Write(observe::Severity::kInfo, base::Concat("port ", number, " is free now, and served"));
  }
  busy_ = std::move(busy);
  busy_pause_ = kBusyPauseMin;
}

void Workers::TryBusyPorts() {
  if (busy_.empty() || publication_ || drain_step_ != DrainStep::kNone) return;
  for (const std::shared_ptr<const snapshot::Port>& port : whole_->ports) {
    if (!busy_.contains(port->number) || !ProbePort(*whole_, *port).ok()) continue;
    return Begin({.snapshot = whole_, .done = nullptr, .if_busy = IfBusy::kWait});
  }
  busy_pause_ = std::min(2 * busy_pause_, kBusyPauseMax);
  busy_timer_.Set(main_.Now() + busy_pause_);
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
  if (!busy_.empty()) busy_timer_.Set(main_.Now() + busy_pause_);
  if (done) return done(std::move(status));
  if (next_) Begin(*std::exchange(next_, std::nullopt));
}

void Workers::Drain(base::Duration delay, base::Duration deadline, std::function<void()> done) {
  PORTICO_CHECK(drain_step_ == DrainStep::kNone, "there is one end");
  limits_.responses().Close();  // Publish is refused from now on, and purges with it
  drained_ = std::move(done);
  drain_deadline_ = deadline;
  step_ends_ = main_.Now() + delay;
  drain_step_ = DrainStep::kDelay;
  timer_.Set(step_ends_);
}

void Workers::OnTimer(event::Timer& timer) {
  if (&timer == &busy_timer_) return TryBusyPorts();
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

void Workers::Inherit(std::vector<net::ListeningSocket> sockets) {
  for (const net::ListeningSocket& socket : sockets)
    inherited_ports_.insert(socket.address.port());
  std::vector<std::vector<net::ListeningSocket>> shares = Spread(std::move(sockets), threads_.size());
  for (size_t i = 0; i < threads_.size(); ++i) {
    auto share = std::make_shared<std::vector<net::ListeningSocket>>(std::move(shares[i]));
    threads_[i]->loop.Post([&network = threads_[i]->network, share, ports = inherited_ports_] {
      network.Adopt(std::move(*share), ports);
    });
  }
}

void Workers::Release(std::function<void()> done) {
  inherited_ports_.clear();
  const auto ask = [](Thread& thread) -> Report {
    thread.network.Release();
    return nullptr;
  };
  AskThreads(ask, std::move(done));
}

void Workers::ShareSockets(std::function<void(absl::StatusOr<std::vector<net::ListeningSocket>>)> done) {
  using Sockets = std::vector<net::ListeningSocket>;
  auto all = std::make_shared<absl::StatusOr<Sockets>>(Sockets());
  const auto ask = [all](Thread& thread) -> Report {
    auto share = std::make_shared<absl::StatusOr<Sockets>>(thread.network.ShareSockets());
    return [all, share] {
      if (!all->ok()) return;
      if (!share->ok()) {
        *all = share->status();
        return;
      }
      for (net::ListeningSocket& socket : **share)
        (*all)->push_back(std::move(socket));
    };
  };
  AskThreads(ask, [all, done = std::move(done)] { done(std::move(*all)); });
}

void Workers::GiveUp(const std::set<net::Address>& addresses) {
  for (const std::unique_ptr<Thread>& thread : threads_)
    thread->loop.Post([&network = thread->network, addresses] { network.GiveUp(addresses); });
}

std::set<net::Address> Workers::addresses() const {
  std::set<net::Address> all;
  if (current_ == nullptr) return all;
  for (const listener::BindAddress& bind : listener::BindAddresses(current_->addresses)) {
    for (const std::shared_ptr<const snapshot::Port>& port : current_->ports)
      all.insert(bind.address.WithPort(port->number));
  }
  return all;
}

// Behind whatever made the worker's cluster what it is: tasks are run in their order.
void Workers::TellAddresses(const std::string& cluster, const std::shared_ptr<const upstream::ResolvedName>& resolved) {
  for (const std::unique_ptr<Thread>& thread : threads_)
    thread->loop.Post([&worker = thread->worker, cluster, resolved] { worker.SetAddresses(cluster, resolved); });
}

observe::MetricsSnapshot Workers::ReadMetrics() const {
  observe::MetricsSnapshot total = metrics_.Read();
  for (const std::unique_ptr<Thread>& thread : threads_)
    observe::Merge(total, thread->metrics.Read());
  AddValue(total, observe::kMemoryResident, observe::ResidentBytes());
  const cache::Store& responses = limits_.responses();
  AddValue(total, observe::kCacheBytes, static_cast<int64_t>(responses.bytes()));
  AddValue(total, observe::kCacheEntries, static_cast<int64_t>(responses.size()));
  AddValue(total, observe::kCacheEvictions, responses.evictions());
  AddValue(total, observe::kCachePurged, responses.purged());
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
