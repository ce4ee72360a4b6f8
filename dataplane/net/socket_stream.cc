#include "dataplane/net/socket_stream.h"

#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "api/base/check.h"
#include "dataplane/base/errno_text.h"
#include "dataplane/net/socket_options.h"

namespace portico::net {

std::unique_ptr<SocketStream> SocketStream::Accepted(event::LibeventLoop& loop, ResetCheck& resets,
                                                     base::FileDescriptor fd, const Address& peer,
                                                     const Address& local) {
  std::unique_ptr<SocketStream> stream(new SocketStream(loop, resets, std::move(fd), State::kOpen, peer, local));
  if (!stream->event_.Watch(stream->fd_.get(), event::FdEvent::Interest::kStream)) {
    stream->Fail(errno);
    stream->write_failed_ = true;
    stream->event_.Trigger({.readable = true});
  }
  return stream;
}

std::unique_ptr<SocketStream> SocketStream::Connecting(event::LibeventLoop& loop, ResetCheck& resets,
                                                       const Address& peer) {
  const int family = peer.is_v6() ? AF_INET6 : AF_INET;
  base::FileDescriptor fd(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const int error = fd.valid() ? 0 : errno;
  std::unique_ptr<SocketStream> stream(
      new SocketStream(loop, resets, std::move(fd), State::kConnecting, peer, Address()));
  stream->error_ = error;
  stream->StartConnecting();
  return stream;
}

SocketStream::SocketStream(event::LibeventLoop& loop, ResetCheck& resets, base::FileDescriptor fd, State state,
                           const Address& peer, const Address& local)
    : resets_(resets), fd_(std::move(fd)), peer_(peer), local_(local), state_(state), event_(loop, *this) {}

// A failure now is told in the next turn, like one that the network tells.
void SocketStream::StartConnecting() {
  if (error_ == 0) {
    SetFlag(fd_.get(), IPPROTO_TCP, TCP_NODELAY);
    struct sockaddr_storage storage;
    const socklen_t size = peer_.ToSocketAddress(&storage);
    if (::connect(fd_.get(), reinterpret_cast<const struct sockaddr*>(&storage), size) != 0 && errno != EINPROGRESS)
      error_ = errno;
    // Watched only after connect: a socket that is not yet connecting reports a hang-up.
    else if (!event_.Watch(fd_.get(), event::FdEvent::Interest::kStream))
      error_ = errno;
  }
  if (error_ != 0) event_.Trigger({.writable = true});
}

void SocketStream::set_handler(ByteStream::Handler* handler) {
  handler_ = handler;
  if (handler_ != nullptr && std::exchange(unannounced_, false)) event_.Trigger({.readable = true, .writable = true});
}

void SocketStream::OnFdEvent(event::FdReadiness ready) {
  if (state_ == State::kFailed) return;
  resets_.Remove(*this);
  if (handler_ == nullptr) {
    // It comes again when there is one; what it says of the peer must not be lost.
    peer_ended_ |= ready.closed;
    emptied_ = false;
    unannounced_ = true;
    return;
  }
  if (ready.closed) peer_ended_ = true;
  if (ready.readable || ready.closed) emptied_ = false;
  if (state_ == State::kConnecting) {
    if (!ready.writable) return;
    FinishConnecting();
    if (state_ != State::kOpen) return;
  }
  // Each of them may turn the stream to another handler, or to none.
  if ((ready.readable || ready.closed) && handler_ != nullptr && std::exchange(announce_readable_, false))
    handler_->OnReadable();
  if (ready.writable && handler_ != nullptr && std::exchange(announce_writable_, false)) handler_->OnWritable();
}

void SocketStream::FinishConnecting() {
  if (error_ == 0) error_ = ConnectError();
  if (error_ != 0) {
    state_ = State::kFailed;
    event_.Unwatch();
    handler_->OnOpen(false);
    return;
  }
  state_ = State::kOpen;
  if (shutdown_on_open_) ShutdownWrite();
  handler_->OnOpen(true);
}

// TCP can connect a socket to itself when its own port, chosen at random, is the one it connects to and nobody listens
// there (RFC 9293 section 3.5, simultaneous open). That is a refusal, and holding it would keep the real server from
// binding its port.
int SocketStream::ConnectError() {
  int error = 0;
  socklen_t size = sizeof error;
  PORTICO_CHECK(getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) == 0);
  if (error != 0) return error;
  local_ = LocalAddress(fd_.get());
  return local_ == peer_ ? ECONNREFUSED : 0;
}

// Looking takes the error away from the kernel (what is left reads like a clean end), so it is kept here.
void SocketStream::CheckForReset() {
  char byte;
  const ssize_t count = ::recv(fd_.get(), &byte, sizeof byte, MSG_PEEK);
  if (count < 0 && errno == EAGAIN) return;
  if (count < 0) Fail(errno);
  event_.Trigger({.readable = true});
}

IoResult SocketStream::Fail(int error) {
  if (error_ == 0) error_ = error;
  return {IoStatus::kFailed};
}

IoResult SocketStream::Read(char* into, size_t size) {
  PORTICO_CHECK(size > 0);
  if (state_ == State::kFailed) return {IoStatus::kFailed};
  if (at_end_) return {IoStatus::kEnd};
  if (state_ == State::kConnecting || (emptied_ && !peer_ended_ && error_ == 0)) {
    announce_readable_ = true;
    return {IoStatus::kWouldBlock};
  }
  ssize_t count;
  do {
    count = ::recv(fd_.get(), into, size, 0);
  } while (count < 0 && errno == EINTR);
  if (count > 0) {
    emptied_ = static_cast<size_t>(count) < size;
    if (emptied_ && !peer_ended_) resets_.Add(*this);
    return {IoStatus::kOk, static_cast<size_t>(count)};
  }
  if (count == 0) {
    // A reset that a write has already been told of reads like a clean end.
    if (error_ != 0) return {IoStatus::kFailed};
    at_end_ = true;
    return {IoStatus::kEnd};
  }
  if (errno != EAGAIN) return Fail(errno);
  if (error_ != 0) return {IoStatus::kFailed};
  announce_readable_ = true;
  return {IoStatus::kWouldBlock};
}

// After a failed write what the peer had sent before can still be read: an origin that answers early and closes.
IoResult SocketStream::Write(const struct iovec* vectors, int count) {
  PORTICO_CHECK(count > 0 && count <= IOV_MAX);
  if (state_ == State::kFailed || write_failed_) return {IoStatus::kFailed};
  if (state_ == State::kConnecting) {
    announce_writable_ = true;
    return {IoStatus::kWouldBlock};
  }
  size_t total = 0;
  for (int i = 0; i < count; ++i)
    total += vectors[i].iov_len;
  PORTICO_CHECK(total > 0);
  struct msghdr message = {};
  message.msg_iov = const_cast<struct iovec*>(vectors);
  message.msg_iovlen = static_cast<size_t>(count);
  ssize_t written;
  do {
    written = ::sendmsg(fd_.get(), &message, MSG_NOSIGNAL);
  } while (written < 0 && errno == EINTR);
  if (written < 0 && errno != EAGAIN) {
    write_failed_ = true;
    return Fail(errno);
  }
  if (written < static_cast<ssize_t>(total)) announce_writable_ = true;
  if (written <= 0) return {IoStatus::kWouldBlock};
  return {IoStatus::kOk, static_cast<size_t>(written)};
}

// A failure means that the connection is gone, which the next Read tells.
void SocketStream::ShutdownWrite() {
  if (state_ == State::kConnecting) shutdown_on_open_ = true;
  if (state_ == State::kOpen) ::shutdown(fd_.get(), SHUT_WR);
}

void SocketStream::AbortOnClose() {
  const struct linger linger = {.l_onoff = 1, .l_linger = 0};
  if (fd_.valid()) ::setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
}

std::string SocketStream::error() const {
  return error_ == 0 ? "" : base::ErrnoText(error_);
}

}  // namespace portico::net
