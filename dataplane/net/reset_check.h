#ifndef PORTICO_DATAPLANE_NET_RESET_CHECK_H_
#define PORTICO_DATAPLANE_NET_RESET_CHECK_H_

#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"

namespace portico::net {

// Finds resets that edge-triggered readiness has hidden. A read that did not fill its memory is taken as "the socket is
// empty" and saves the system call that would say so. That is true of data and, thanks to EV_CLOSED, of a FIN; but a
// reset that came together with data is reported by libevent as mere readability, once. So a socket that was taken to
// be empty and then stays quiet is looked at one time, kDelay to twice kDelay later. Busy sockets, which have an event
// by then, cost nothing.
class ResetCheck : private event::Timer::Handler {
 public:
  static constexpr base::Duration kDelay = std::chrono::milliseconds(50);

  class Socket : private base::ListLink<struct ResetCheckTag> {
   public:
    virtual void CheckForReset() = 0;

   protected:
    ~Socket() = default;

   private:
    friend class ResetCheck;
    friend class base::IntrusiveList<Socket, struct ResetCheckTag>;
  };

  explicit ResetCheck(event::Loop& loop) : loop_(loop), timer_(loop.timers(), *this) {}

  // The socket was taken to be empty. It leaves by itself when it dies.
  void Add(Socket& socket) {
    socket.Unlink();
    recent_.PushBack(socket);
    if (!timer_.deadline()) timer_.Set(loop_.Now() + kDelay);
  }
  // An event came: whatever it was, the socket will be read.
  void Remove(Socket& socket) { socket.Unlink(); }

 private:
  void OnTimer(event::Timer& timer) override {
    while (Socket* socket = older_.front()) {
      socket->Unlink();
      socket->CheckForReset();
    }
    while (Socket* socket = recent_.front()) {
      socket->Unlink();
      older_.PushBack(*socket);
    }
    if (!older_.empty()) timer_.Set(loop_.Now() + kDelay);
  }

  event::Loop& loop_;
  base::IntrusiveList<Socket, struct ResetCheckTag> recent_;  // since the last ring
  base::IntrusiveList<Socket, struct ResetCheckTag> older_;
  event::Timer timer_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_RESET_CHECK_H_
