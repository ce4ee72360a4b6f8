#ifndef PORTICO_DATAPLANE_XDS_DISCOVERY_CLIENT_H_
#define PORTICO_DATAPLANE_XDS_DISCOVERY_CLIENT_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/random.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/grpc/status.h"
#include "dataplane/grpc/stream.h"
#include "dataplane/net/address.h"
#include "dataplane/net/network.h"
#include "dataplane/offload/job_thread.h"
#include "dataplane/upstream/cluster.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/xds/client_session.h"

namespace portico::xds {

// How a connection to one control plane is secured, read anew for each stream, so that renewed certificates count.
struct Security {
  std::shared_ptr<const upstream::StreamSecurity> security;  // nullptr: in clear
  std::string identity;                                      // of everything that it was made of
};

// Keeps one stream to one of several control planes, whichever answers: the next one is tried when a stream ends, after
// a pause that grows from kPauseMin to kPauseMax while no stream brings a proposal or lasts, and is spread by a fifth
// either way, so that a fleet does not come back in step
// (https://github.com/grpc/grpc/blob/master/doc/connection-backoff.md).
//
//   DiscoveryClient client(loop, network, pool, options, session, handler);
//   client.Start();                       → OnStreamBegan, OnProposal, … OnStreamEnded, and again
//   session.Accept(…); client.Flush();    // whatever the session has to say is sent
//   client.Stop();                        // leaves, and nothing is heard any more
//
// A stream on which nothing was said for kSilenceMax, give or take a fifth, is begun anew over a new connection: a
// control plane that vanished without a word is noticed. If it is there it is asked again, and nobody is told.
//
// One thread. Everything that it is given outlives it.
class DiscoveryClient : private grpc::StreamHandler, private event::Timer::Handler {
 public:
  static constexpr base::Duration kPauseMin = std::chrono::milliseconds(500);
  static constexpr base::Duration kPauseMax = std::chrono::seconds(30);
  static constexpr base::Duration kSilenceMax = std::chrono::minutes(10);

  class Handler {
   public:
    virtual ~Handler() = default;
    // The control plane has said something, the first since the start or the last OnStreamEnded.
    virtual void OnStreamBegan(const net::Address& address) = 0;
    // `next`: when the next is tried.
    virtual void OnStreamEnded(const net::Address& address, std::string_view why, base::Duration pause) = 0;
    virtual void OnProposal(Proposal proposal) = 0;
  };

  struct Options {
    std::vector<net::Address> addresses;  // at least one, in the order in which they are tried
    // Called on a thread of its own, since it reads files. nullptr: all is in clear.
    std::function<absl::StatusOr<Security>(const net::Address& address)> secure = nullptr;
    uint64_t seed = 0;  // of the pauses
  };

  DiscoveryClient(event::Loop& loop, net::Network& network, base::BlockPool& pool, Options options,
                  ClientSession& session, Handler& handler);
  ~DiscoveryClient() override;

  void Start() { Begin(); }
  // Sends what the session has to say, and hands out what it proposes.
  void Flush();
  // Cancels the stream, if there is one. The last call.
  void Stop();

 private:
  // grpc::StreamHandler
  void OnMessage(std::string message) override;
  void OnEnd(grpc::Status status) override;
  void OnSendReady() override { Flush(); }
  // event::Timer::Handler
  void OnTimer(event::Timer& timer) override;

  const net::Address& address() const { return options_.addresses[next_]; }
  void Begin();
  void Connect(absl::StatusOr<Security> security);
  void OnSilence();
  void End(std::string_view why);
  // Somewhere between four and six fifths of it.
  base::Duration Spread(base::Duration pause);
  std::shared_ptr<upstream::ClusterConfig> ConfigOf(Security security) const;

  event::Loop& loop_;
  net::Network& network_;
  base::BlockPool& pool_;
  const Options options_;
  ClientSession& session_;
  Handler& handler_;
  base::Random random_;
  event::Timer pause_timer_;
  event::Timer silence_timer_;
  size_t next_ = 0;                                           // the address that is asked or will be
  std::vector<std::unique_ptr<upstream::Cluster>> clusters_;  // one for each address, made at its first stream
  std::unique_ptr<grpc::Stream> stream_;
  base::Duration pause_ = kPauseMin;
  base::MonotonicTime began_at_{};
  bool heard_ = false;  // something, of this stream
  bool began_ = false;  // OnStreamBegan was the last that the handler was told
  bool stopped_ = false;
  std::optional<offload::JobThread> files_;  // none: all is in clear
};

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_DISCOVERY_CLIENT_H_
