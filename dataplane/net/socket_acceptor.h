#ifndef PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_
#define PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_

#include <functional>
#include <string_view>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/base/time.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/address.h"
#include "dataplane/net/network.h"
#include "dataplane/net/reset_check.h"

namespace portico::net {

// A listening socket on a loop. Level-triggered: what is left over after kAcceptsPerTurnMax is told again.
//
// When descriptors or memory run out the connection stays in the kernel's queue and the socket would be reported for
// ever; so it rests for kRetryDelay, says so once, and tries again.
class SocketAcceptor final : public Acceptor, private event::FdEvent::Handler, private event::Timer::Handler {
 public:
  // "accepting on 127.0.0.1:80 rests: too many open files". Called once per shortage, not once per try.
  using WarningSink = std::function<void(std::string_view text)>;
  static constexpr base::Duration kRetryDelay = std::chrono::milliseconds(100);  // short beside any client's patience

  // `fd` listens, non-blocking, bound to `local`; `backlog` bounds what Drain accepts.
  // Loop, resets and handler outlive it.
  SocketAcceptor(event::LibeventLoop& loop, ResetCheck& resets, base::FileDescriptor fd, const Address& local,
                 int backlog, Acceptor::Handler& handler, WarningSink warn);

  const Address& local() const override { return local_; }
  void Pause() override;
  void Resume() override;
  void Drain() override;

 private:
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
  base::FileDescriptor fd_;
  Address local_;
  int backlog_;
  bool any_local_;       // bound to all addresses: each connection has its own
  bool paused_ = false;  // by the owner
  bool short_ = false;   // of descriptors or memory
  event::FdEvent event_;
  event::Timer retry_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_ACCEPTOR_H_
