#include "dataplane/net/socket_acceptor.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"
#include "dataplane/net/socket_options.h"
#include "dataplane/net/socket_stream.h"

namespace portico::net {

namespace {

bool IsAnyAddress(const Address& address) {
  const std::string_view bytes = address.bytes();
  return std::all_of(bytes.begin(), bytes.end(), [](char byte) { return byte == 0; });
}

bool IsShortage(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

}  // namespace

SocketAcceptor::SocketAcceptor(event::LibeventLoop& loop, ResetCheck& resets, ListeningSocket socket, bool held,
                               int backlog, Acceptor::Handler& handler, WarningSink warn)
    : loop_(loop),
      resets_(resets),
      handler_(handler),
      warn_(std::move(warn)),
      socket_(std::move(socket)),
      backlog_(backlog),
      any_local_(IsAnyAddress(socket_.address)),
      held_(held),
      event_(loop, *this),
      retry_(loop.timers(), *this) {
  Update();
}

// Watched exactly when it may accept. A registration that the kernel refuses is a shortage like any other.
void SocketAcceptor::Update() {
  const bool wanted = socket_.fd.valid() && !held_ && !paused_ && !short_;
  if (wanted == event_.watched()) return;
  if (!wanted) {
    event_.Unwatch();
  } else if (!event_.Watch(socket_.fd.get(), event::FdEvent::Interest::kReadable)) {
    RestAfterShortage(errno);
  }
}

void SocketAcceptor::Pause() {
  paused_ = true;
  Update();
}

void SocketAcceptor::Resume() {
  paused_ = false;
  Update();
}

void SocketAcceptor::OnFdEvent(event::FdReadiness ready) {
  for (int i = 0; i < kAcceptsPerTurnMax && !paused_ && socket_.fd.valid(); ++i) {
    const Outcome outcome = AcceptOne();
    if (outcome == Outcome::kShortage) RestAfterShortage(errno);
    if (outcome == Outcome::kShortage || outcome == Outcome::kNothingLeft) return;
  }
}

void SocketAcceptor::OnTimer(event::Timer& timer) {
  if (!socket_.fd.valid()) return;
  // The warning is for the whole shortage: while the first try fails again, nothing new is said.
  const Outcome outcome = paused_ ? Outcome::kNothingLeft : AcceptOne();
  if (outcome == Outcome::kShortage) {
    retry_.Set(loop_.Now() + kRetryDelay);
    return;
  }
  short_ = false;
  Update();
}

void SocketAcceptor::RestAfterShortage(int error) {
  short_ = true;
  event_.Unwatch();
  retry_.Set(loop_.Now() + kRetryDelay);
  if (warn_) warn_(base::Concat("accepting on ", socket_.address.ToString(), " rests: ", base::ErrnoText(error)));
}

SocketAcceptor::Outcome SocketAcceptor::AcceptOne() {
  struct sockaddr_storage storage;
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<struct sockaddr*>(&storage);
  base::FileDescriptor fd(::accept4(socket_.fd.get(), address, &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!fd.valid()) {
    if (errno == EAGAIN) return Outcome::kNothingLeft;
    // Everything else is the error of one connection that is already gone (accept(2): Linux passes on what the network
    // had pending for it).
    return IsShortage(errno) ? Outcome::kShortage : Outcome::kLost;
  }
  const Address local = any_local_ ? LocalAddress(fd.get()) : socket_.address;
  // TCP_NODELAY is inherited from the listening socket.
  handler_.OnAccept(SocketStream::Accepted(loop_, resets_, std::move(fd), Address::FromSocketAddress(address), local));
  return Outcome::kAccepted;
}

// The queue holds no more than the backlog (and one): what comes in meanwhile need not be waited for.
void SocketAcceptor::Drain() {
  for (int i = 0; !held_ && socket_.fd.valid() && i <= backlog_; ++i) {
    const Outcome outcome = AcceptOne();
    if (outcome == Outcome::kNothingLeft || outcome == Outcome::kShortage) break;
  }
  GiveUp();
}

void SocketAcceptor::Release() {
  if (!held_ || !socket_.fd.valid()) return;
  held_ = false;
  if (::listen(socket_.fd.get(), backlog_) != 0 && warn_) {
    warn_(base::Concat("listening on ", socket_.address.ToString(), ": ", base::ErrnoText(errno)));
  }
  Update();
}

absl::StatusOr<ListeningSocket> SocketAcceptor::Share() const {
  if (held_ || !socket_.fd.valid()) return absl::FailedPreconditionError("there is nothing to share");
  return socket_.Duplicate();
}

// Unwatched first: the socket goes on in somebody else's hands, and the kernel would go on reporting it here.
void SocketAcceptor::GiveUp() {
  retry_.Forget();
  event_.Unwatch();
  socket_.fd.Reset();
}

}  // namespace portico::net
