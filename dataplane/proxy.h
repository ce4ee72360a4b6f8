#ifndef PORTICO_DATAPLANE_PROXY_H_
#define PORTICO_DATAPLANE_PROXY_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "api/check/key_pair.h"
#include "api/yaml/read.h"
#include "dataplane/admin/admin_server.h"
#include "dataplane/admin/admin_view.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/signals.h"
#include "dataplane/filters/filters.h"
#include "dataplane/net/address.h"
#include "dataplane/net/ares_resolver.h"
#include "dataplane/net/socket_network.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/options.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/source/file_source.h"
#include "dataplane/takeover/claim.h"
#include "dataplane/takeover/offer.h"
#include "dataplane/worker/workers.h"
#include "dataplane/xds/stream_source.h"

namespace portico::proxy {

// The main thread: puts what the source builds into force, answers the admin's questions, and ends on a signal.
//
//   Proxy proxy(loop, options, log, access_log, files, key_pairs);
//   if (proxy.Start()) loop.Run();
//   return proxy.exit_code();
//
//   starting ──first configuration in force──▶ serving ──SIGTERM──▶ draining ──▶ the loop stops
//       └──it is refused, or a port can't be had──▶ the loop stops, exit code 1
//
// A configuration that is streamed is waited for, however long: a refused one is the control plane's to mend. And at
// the start a port of it that another process has is waited for too, while the others serve.
//
// The admin's ports are bound before anything else: whoever can't have them has served nobody.
//
// With --takeover it first asks the process that serves for its sockets, and says so when its configuration is in force
// on them; until that one has let go nothing is accepted, not even on the admin's ports (takeover/README.md). A process
// that is asked puts no configuration into force until it is known who serves.
class Proxy final : private source::FileSource::Handler,
                    private xds::StreamSource::Handler,
                    private admin::AdminView,
                    private event::SignalWatch::Handler,
                    private takeover::Claim::Handler,
                    private takeover::Offer::Handler {
 public:
  // All outlive it.
  Proxy(event::LibeventLoop& loop, const Options& options, observe::ProcessLog& log, exporting::LogFile& access_log,
        yaml::FileReader& files, const check::KeyPairChecker& key_pairs);
  ~Proxy() override;

  // False: it can't, and has said why.
  bool Start();
  int exit_code() const { return exit_code_; }

 private:
  enum class State : uint8_t { kStarting, kServing, kDraining };

  // source::FileSource::Handler
  void OnCandidate(source::Candidate candidate) override;
  // xds::StreamSource::Handler
  void OnSnapshot(std::shared_ptr<snapshot::Snapshot> snapshot, const std::string& what) override;
  void OnRefused() override;
  // event::SignalWatch::Handler
  void OnSignal(int number) override;
  // takeover::Claim::Handler
  void OnGo() override;
  void OnIncumbentGone() override;
  void OnDenied(const std::string& why) override;
  // takeover::Offer::Handler
  void OnAsked(pid_t successor) override;
  void OnServing(pid_t successor, const std::set<net::Address>& addresses) override;
  void OnStays(const std::string& why) override;
  void OnTurnedAway(const std::string& why) override;
  // admin::AdminView
  Readiness Ready() override;
  void ReadMetrics(std::function<void(std::string)> done) override;
  std::string SnapshotText() override;
  void ReadClusters(std::function<void(std::string)> done) override;
  observe::Severity log_level() override { return log_.level(); }
  void set_log_level(observe::Severity level) override { log_.set_level(level); }

  absl::Status ClaimSockets();
  absl::Status StartSource();
  void BeginServing();
  void Serve();
  void GiveSockets();
  void Publish(std::shared_ptr<snapshot::Snapshot> next);
  void OnPublished(std::shared_ptr<const snapshot::Snapshot> next, const absl::Status& status);
  void Refuse(const std::string& why);
  void CountReload(bool accepted);
  absl::Status ListenForAdmin();
  void Drain(base::Duration delay);
  void End(int exit_code);

  event::LibeventLoop& loop_;
  const Options& options_;
  yaml::FileReader& files_;
  const check::KeyPairChecker& key_pairs_;
  observe::ProcessLog& log_;
  exporting::LogFile& access_log_;
  State state_ = State::kStarting;
  int exit_code_ = 0;
  event::SignalWatch signals_;  // before any thread
  net::SocketNetwork network_;
  net::AresResolver resolver_;
  base::BlockPool pool_;
  const filters::SharedState filter_state_;
  worker::Workers workers_;
  std::unique_ptr<source::FileSource> source_;        // one of the two
  std::unique_ptr<xds::StreamSource> stream_source_;  // nullptr with a file
  admin::AdminServer admin_;
  std::shared_ptr<const snapshot::Snapshot> current_;
  std::shared_ptr<snapshot::Snapshot> next_;  // built while another is being put into force
  bool publishing_ = false;
  std::unique_ptr<takeover::Claim> claim_;  // nullptr: nobody is taken over from
  bool inheriting_ = false;                 // until this process serves
  bool incumbent_gone_ = false;             // without having let go
  std::unique_ptr<takeover::Offer> offer_;  // nullptr without --takeover
  bool handing_over_ = false;               // somebody has asked; true for good once it serves
  bool sockets_wanted_ = false;             // by it, as soon as nothing is being published
  std::string streamed_;                    // " (revision 41)" of what is being put into force; "" of a file
};

}  // namespace portico::proxy

#endif  // PORTICO_DATAPLANE_PROXY_H_
