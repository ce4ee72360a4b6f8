#ifndef PORTICO_DATAPLANE_TAKEOVER_CLAIM_H_
#define PORTICO_DATAPLANE_TAKEOVER_CLAIM_H_

#include <sys/types.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/net/address.h"
#include "dataplane/net/listening_socket.h"
#include "dataplane/takeover/channel.h"

namespace portico::takeover {

// The successor's end of a takeover: what a starting process asks of the one that serves (the incumbent, an Offer).
//
//   auto claim = Claim::Ask(path);            // kNotFound: nobody serves there; start as if there were no such flag
//   auto sockets = claim->ReceiveSockets();   // both block, for kAnswerTime at most at each packet
//   claim->Follow(loop, handler);
//   …its configuration is in force, on these sockets, and nothing is accepted yet…
//   claim->Ready();                           → OnGo(): accept, then claim->Serving(addresses)
//                                             → OnIncumbentGone(): it has died; the sockets are ours alone: accept
//                                             → OnDenied(why): it goes on, so this process must not
//
// One of the three comes, once; after Serving nothing more. Destroying it before Serving leaves the incumbent as it
// was.
class Claim : private event::FdEvent::Handler {
 public:
  static constexpr base::Duration kAnswerTime = std::chrono::seconds(10);

  class Handler {
   public:
    virtual ~Handler() = default;
    // None of them may destroy the claim.
    virtual void OnGo() = 0;
    virtual void OnIncumbentGone() = 0;
    virtual void OnDenied(const std::string& why) = 0;
  };

  // The path has at most kPathBytesMax bytes. kNotFound: there is no such file, or (it says so) one that a process left
  // behind that is gone. Other errors name the path and say what is wrong there.
  static absl::StatusOr<std::unique_ptr<Claim>> Ask(const std::string& path);
  // Not on an event loop's turn: it waits. kFailedPrecondition: the incumbent refuses, and why.
  absl::StatusOr<std::vector<net::ListeningSocket>> ReceiveSockets();

  // Both outlive it.
  void Follow(event::LibeventLoop& loop, Handler& handler);
  // Once is enough. Errors are not told: a broken connection is heard of by the handler.
  void Ready();
  // On these addresses this process accepts.
  absl::Status Serving(const std::vector<net::Address>& addresses);

  pid_t incumbent() const { return incumbent_; }

 private:
  Claim(const std::string& path, Channel channel, pid_t incumbent)
      : path_(path), channel_(std::move(channel)), incumbent_(incumbent) {}

  void OnFdEvent(event::FdReadiness ready) override;
  absl::Status Blame(std::string_view what) const;

  const std::string path_;
  Channel channel_;
  const pid_t incumbent_;
  Handler* handler_ = nullptr;
  std::unique_ptr<event::FdEvent> event_;  // nullptr before Follow
  bool ready_ = false;
};

}  // namespace portico::takeover

#endif  // PORTICO_DATAPLANE_TAKEOVER_CLAIM_H_
