#ifndef PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_
#define PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_

#include <functional>
#include <string_view>

#include "absl/status/statusor.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/address.h"
#include "dataplane/net/listening_socket.h"
#include "dataplane/net/network.h"
#include "dataplane/net/reset_check.h"

namespace portico::net {

// A listening socket on a loop. Level-triggered: what is left over after kAcceptsPerTurnMax is told again.
//
// When descriptors or memory run out the connection stays in the kernel's queue and the socket would be reported for
// ever; so it rests for kRetryDelay, says so once, and tries again.
//
// A held one waits for Release() before it takes anything: until then another process accepts on the address.
class SocketAcceptor final : public Acceptor,
                             private base::ListLink<struct AcceptorTag>,
                             private event::FdEvent::Handler,
                             private event::Timer::Handler {
 public:
  // "accepting on 127.0.0.1:80 rests: too many open files". Called once per shortage, not once per try.
  using WarningSink = std::function<void(std::string_view text)>;
  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);  // short beside any client's patience

  // The socket is non-blocking; it listens, or, held, may be only bound. `backlog` bounds what Drain accepts.
  // Loop, resets and handler outlive it.
  SocketAcceptor(event::LibeventLoop& loop, ResetCheck& resets, ListeningSocket socket, bool held, int backlog,
                 Acceptor::Handler& handler, WarningSink warn);

  const Address& local() const override { return socket_.address; }
  void Pause() override;
  void Resume() override;
  void Drain() override;

  // Listens if it does not yet, and accepts from now on.
  void Release();
  // Another descriptor of its socket. kFailedPrecondition: it has none any more, or does not accept yet.
  absl::StatusOr<ListeningSocket> Share() const;
  // Lets go of the socket as it is: who waits in its queue is for those who have it too.
  void GiveUp();

 private:
  friend class base::IntrusiveList<SocketAcceptor, struct AcceptorTag>;
  enum class Outcome { kAccepted, kNothingLeft, kLost, kShortage };

  void OnFdEvent(event::FdReadiness ready) override;
  void OnTimer(event::Timer& timer) override;
  Outcome AcceptOne();
  void RestAfterShortage(int error);
  void Update();

  event::LibeventLoop& loop_;
  ResetCheck& resets_;
  Acceptor::Handler& handler_;
  WarningSink warn_;
  ListeningSocket socket_;
  int backlog_;
  bool any_local_;       // bound to all addresses: each connection has its own
  bool held_;            // by the network
  bool paused_ = false;  // by the owner
  bool short_ = false;   // of descriptors or memory
  event::FdEvent event_;
  event::Timer retry_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_
