#ifndef PORTICO_DATAPLANE_XDS_STREAM_SOURCE_H_
#define PORTICO_DATAPLANE_XDS_STREAM_SOURCE_H_

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/check/key_pair.h"
#include "api/wire/node.h"
#include "dataplane/event/loop.h"
#include "dataplane/observe/process_log.h"
#include "dataplane/offload/job_thread.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/snapshot/snapshot_config.h"
#include "dataplane/source/state_file.h"
#include "dataplane/source/state_keeper.h"
#include "dataplane/source/streamed.h"
#include "dataplane/xds/client_session.h"
#include "dataplane/xds/discovery_client.h"

namespace portico::xds {

// The configuration as control planes stream it: what their marks propose is judged and built on a thread of its own,
// and what was put into force is acknowledged and, with a state file, kept for a start without any of them.
//
//   StreamSource source(loop, network, pool, options, key_pairs, log, handler);
//   source.Start();                      → OnSnapshot(what the state file has, if it has any)
//   somebody changes the configuration   → OnSnapshot(…)
//   source.OnPublished(status);          // once for each, whenever: it is in force, or why not
//   source.Stop();                       // a drain begins: nothing is asked, answered or handed out any more
//
// One thread, the loop's. Everything that it is given outlives it.
class StreamSource : private DiscoveryClient::Handler {
 public:
  // Of what a revision is refused for, what it holds back and what fails closed in it, each: the first by name. Then
  // how many more there are.
  static constexpr size_t kLoggedMax = 10;

  class Handler {
   public:
    virtual ~Handler() = default;
    // `what`: "revision 41", for logs. One at a time: the next comes after OnPublished.
    virtual void OnSnapshot(std::shared_ptr<snapshot::Snapshot> snapshot, const std::string& what) = 0;
    // What was streamed is refused as a whole; whatever is in force goes on. The log says why.
    virtual void OnRefused() = 0;
  };

  struct Options {
    wire::Node node;
    DiscoveryClient::Options discovery;
    snapshot::BuildOptions build;
    std::optional<source::StateFile> state;  // nullopt: nothing is kept
  };

  StreamSource(event::Loop& loop, net::Network& network, base::BlockPool& pool, Options options,
               const check::KeyPairChecker& key_pairs, observe::ProcessLog& log, Handler& handler);
  ~StreamSource() override;

  // Locks and reads the state file, which blocks.
  void Start();
  void OnPublished(const absl::Status& status);
  // Leaves the control plane without a verdict on what is being built or put into force: whoever ends has none. What is
  // in force is kept at once, and the state file is left to whoever comes next.
  void Stop();

 private:
  // DiscoveryClient::Handler
  void OnStreamBegan(const net::Address& address) override;
  void OnStreamEnded(const net::Address& address, std::string_view why, base::Duration pause) override;
  void OnProposal(Proposal proposal) override;
  // False: there is nothing to be built.
  bool BuildState();
  void Build(const Mark& mark, source::StreamedSet set);
  void OnBuilt(source::StreamedCandidate candidate);
  void Answer(const absl::Status& status);
  void Keep();
  // Of what is being built or put into force, for logs.
  std::string Name() const;
  void WriteRefusals(const source::StreamedCandidate& candidate);

  const Options options_;
  const check::KeyPairChecker& key_pairs_;
  observe::ProcessLog& log_;
  Handler& handler_;
  ClientSession session_;
  DiscoveryClient client_;
  Resources received_;         // as of the last proposal
  source::Versions versions_;  // what of it could be read
  Mark mark_;                  // of what is being built or put into force
  source::StreamedCandidate candidate_;
  bool proposed_ = false;  // by the session; else it is what the state file had
  bool stopped_ = false;
  Mark in_force_mark_;
  source::InForce in_force_;
  std::map<net::Address, std::string> ends_;  // how the last stream to each ended, if none has begun since
  std::optional<source::StateKeeper> keeper_;
  offload::JobThread builds_;  // the last, so that it ends before what it reads
};

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_STREAM_SOURCE_H_
