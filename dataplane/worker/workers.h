#ifndef PORTICO_DATAPLANE_WORKER_WORKERS_H_
#define PORTICO_DATAPLANE_WORKER_WORKERS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/export/log_file.h"
#include "dataplane/net/address.h"
#include "dataplane/net/listening_socket.h"
#include "dataplane/net/resolver.h"
#include "dataplane/net/socket_network.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/worker/busy_ports.h"
#include "dataplane/worker/cluster_names.h"
#include "dataplane/worker/cluster_state.h"
#include "dataplane/worker/shared_limits.h"

namespace portico::worker {

class Worker;

// The main thread's handle on the workers: one thread, loop and network for each. Everything is called on the main
// loop's thread, and every answer comes there, in a later turn; threads speak by posting to each other's loops alone.
//
//   Workers workers(main, DefaultWorkers(), &access_log, log);
//   workers.Publish(snapshot, [](absl::Status status) { … });      // again for every new configuration
//   workers.Drain(delay, deadline, [&] { main.Stop(); });          // at SIGTERM
//
// When another process is taken over (takeover/): Inherit(its sockets) first of all; Publish; Release when it has let
// go. When one takes over from this: ShareSockets; once it serves GiveUp, and Drain.
//
// Destroying it cuts what is still there and joins the threads; what was asked for and not answered never is.
class Workers : private event::Timer::Handler {
 public:
  static constexpr base::Duration kDrainPoll = std::chrono::milliseconds(50);
  // After the deadline: the last warning, and the answers that it brings.
  static constexpr base::Duration kLastWords = std::chrono::seconds(2);
  // From one try of the ports that others have to the next: twice as long each time.
  static constexpr base::Duration kBusyPauseMin = std::chrono::milliseconds(250),
                                  kBusyPauseMax = std::chrono::seconds(15);

  // All outlive it. `access_log` may be nullptr. Its target follows the configuration. `resolver` is the main loop's.
  Workers(event::LibeventLoop& main, net::Resolver& resolver, size_t count, exporting::LogFile* access_log,
          observe::ProcessLog& log);
  ~Workers() override;

  // All workers run the snapshot, or none does and the old one goes on: then the status says which port could not be
  // had. One at a time. kFailedPrecondition after Drain. The old snapshot is freed on this thread.
  void Publish(std::shared_ptr<const snapshot::Snapshot> snapshot, std::function<void(absl::Status)> done,
               IfBusy if_busy = IfBusy::kRefuse);
  // Ports of the snapshot in force that nobody can reach here, because another process has them.
  const BusyPorts& busy_ports() const { return busy_; }

  // From now on the cache gives and keeps nothing. Goes on as before for `delay`, so that whoever balances the load
  // hears that we are not ready; then clients are warned and new ones still accepted, until none is left or `deadline`
  // (from the end of the delay) is over; then the accept queues are emptied and the ports closed; kLastWords later, or
  // when nobody is left, what remains is cut.
  void Drain(base::Duration delay, base::Duration deadline, std::function<void()> done);

  // Before the first Publish, which puts them to use where the configuration has their addresses. Until Release nothing
  // is accepted on their ports; after it what nobody uses is closed.
  void Inherit(std::vector<net::ListeningSocket> sockets);
  void Release(std::function<void()> done);
  // All that workers accept on. Not between Publish and its answer.
  void ShareSockets(std::function<void(absl::StatusOr<std::vector<net::ListeningSocket>>)> done);
  // Leaves who waits on these addresses to others who have the sockets too.
  void GiveUp(const std::set<net::Address>& addresses);
  // Where the configuration in force accepts.
  std::set<net::Address> addresses() const;

  // The sums over all workers, and metrics().
  observe::MetricsSnapshot ReadMetrics() const;
  // What is the process's and no worker's; the main thread writes it. The revision in use is kept here.
  observe::Metrics& metrics() { return metrics_; }
  // Merged over all workers.
  void Inspect(std::function<void(std::vector<ClusterState>)> done);

  size_t count() const { return threads_.size(); }

 private:
  struct Thread;
  using Report = std::function<void()>;  // what a worker has to say, run on the main thread
  struct Publication {
    std::shared_ptr<const snapshot::Snapshot> snapshot;  // for the workers
    std::function<void(absl::Status)> done;              // nullptr: our own, to try busy ports again
    IfBusy if_busy = IfBusy::kRefuse;
    std::shared_ptr<const snapshot::Snapshot> whole = nullptr;  // with the ports in `busy`
    BusyPorts busy = {};
    absl::Status status = absl::OkStatus();
  };
  enum class DrainStep : uint8_t { kNone, kDelay, kWarning, kLeaving, kClosing };

  void AskAll(std::function<Report(Worker&)> ask, std::function<void()> all);
  void AskThreads(std::function<Report(Thread&)> ask, std::function<void()> all);
  void OnReport(uint64_t question, const Report& report);
  void Begin(Publication publication);
  absl::Status Probe(Publication& publication);
  absl::Status ProbePort(const snapshot::Snapshot& snapshot, const snapshot::Port& port);
  void ShowBusyPorts(BusyPorts busy);
  void TryBusyPorts();
  void SwapAll();
  void Published();
  void ShowCertificates(const snapshot::Snapshot* old);
  void Refuse();
  void FinishPublication(absl::Status status);
  void OnTimer(event::Timer& timer) override;
  void EnterDrainStep(DrainStep step);
  void AskIfIdle();
  void TellAddresses(const std::string& cluster, const std::shared_ptr<const upstream::ResolvedName>& resolved);

  struct Question {
    size_t missing;
    std::function<void()> all;
  };

  event::LibeventLoop& main_;
  exporting::LogFile* const access_log_;
  observe::ProcessLog& log_;
  net::SocketNetwork network_;  // to probe ports
  observe::Metrics metrics_;
  std::shared_ptr<Workers*> self_;  // for tasks on the main loop that may come after the end: looked at there alone
  std::map<uint64_t, Question> questions_;
  uint64_t last_question_ = 0;
  std::shared_ptr<const snapshot::Snapshot> current_;
  std::optional<Publication> publication_;
  std::optional<Publication> next_;                  // came while our own was on its way
  BusyPorts busy_;                                   // as of what is in force
  std::shared_ptr<const snapshot::Snapshot> whole_;  // with them; nullptr: there are none
  base::Duration busy_pause_ = kBusyPauseMin;
  event::Timer busy_timer_;
  std::set<uint16_t> inherited_ports_;  // until Release

  DrainStep drain_step_ = DrainStep::kNone;
  base::Duration drain_deadline_{};  // how long kWarning may last
  base::MonotonicTime step_ends_{};
  std::function<void()> drained_;
  event::Timer timer_;

  SharedLimits limits_;
  ClusterNames names_;
  std::vector<std::unique_ptr<Thread>> threads_;
};

}  // namespace portico::worker

#endif  // PORTICO_DATAPLANE_WORKER_WORKERS_H_
