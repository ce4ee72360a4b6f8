#include "dataplane/takeover/claim.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::takeover {

namespace {

using Kind = Message::Kind;

absl::Status At(const std::string& path, absl::StatusCode code, std::string_view what) {
  return {code, base::ToAbsl(base::Concat(path, ": ", what))};
}

// connect(2) says "connection refused" of a file that is no socket, too.
absl::Status LookAt(const std::string& path) {
  struct stat file{};
  if (::lstat(path.c_str(), &file) != 0) {
    const bool missing = errno == ENOENT;
    return At(path, missing ? absl::StatusCode::kNotFound : absl::StatusCode::kUnavailable,
              missing ? "nobody serves there yet" : base::ErrnoText(errno));
  }
  if (S_ISSOCK(file.st_mode)) return absl::OkStatus();
  return At(path, absl::StatusCode::kFailedPrecondition, "there is something that is no socket; it is not replaced");
}

absl::Status Connect(int fd, const std::string& path) {
  const struct sockaddr_un address = UnixAddress(path);
  if (::connect(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address) == 0) return absl::OkStatus();
  switch (errno) {
    case ECONNREFUSED:
    case ENOENT:
      return At(path, absl::StatusCode::kNotFound,
                "a socket that is left of a process that is gone; it will be replaced");
    case EPROTOTYPE:
      return At(path, absl::StatusCode::kFailedPrecondition, "a socket of another kind; it is no portico-proxy's");
    default:
      return At(path, absl::StatusCode::kUnavailable, base::ErrnoText(errno));
  }
}

bool SetPatience(int fd, base::Duration patience) {
  const struct timeval time = {.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(patience).count(),
                               .tv_usec = 0};
  return ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time) == 0 &&
         ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time) == 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Claim>> Claim::Ask(const std::string& path) {
  if (absl::Status status = LookAt(path); !status.ok()) return status;
  absl::StatusOr<base::FileDescriptor> fd = OpenUnixSocket(/*blocking=*/true);
  if (!fd.ok()) return fd.status();
  if (!SetPatience(fd->get(), kAnswerTime)) return At(path, absl::StatusCode::kUnavailable, base::ErrnoText(errno));
  if (absl::Status status = Connect(fd->get(), path); !status.ok()) return status;
  Channel channel(*std::move(fd));
  const auto peer = channel.CheckedPeer();
  if (!peer.ok()) return At(path, peer.status().code(), base::ToStd(peer.status().message()));
  auto claim = std::unique_ptr<Claim>(new Claim(path, std::move(channel), peer->pid));
  // What the incumbent says when it does not take the question is the better reason.
  claim->channel_.Send({.kind = Kind::kAsk, .addresses = {}, .text = {}}).IgnoreError();
  return claim;
}

absl::Status Claim::Blame(std::string_view what) const {
  return absl::FailedPreconditionError(base::ToAbsl(base::Concat(path_, ": process ", incumbent_, ": ", what)));
}

absl::StatusOr<std::vector<net::ListeningSocket>> Claim::ReceiveSockets() {
  std::vector<net::ListeningSocket> sockets;
  for (bool more = true; more;) {
    absl::StatusOr<Received> received = channel_.Receive();
    if (!received.ok()) return Blame(base::ToStd(received.status().message()));
    if (received->message.kind == Kind::kRefused) return Blame(received->message.text);
    if (received->message.kind != Kind::kSockets) return Blame("it says what nobody asked for");
    more = received->message.more;
    if (more && received->descriptors.empty()) return Blame("it announces sockets and sends none");
    if (sockets.size() + received->descriptors.size() > Message::kSocketsMax) return Blame("it sends too many sockets");
    for (base::FileDescriptor& descriptor : received->descriptors) {
      absl::StatusOr<net::ListeningSocket> socket = net::ListeningSocket::Examine(std::move(descriptor));
      if (!socket.ok()) return Blame(base::Concat("it sends a socket: ", base::ToStd(socket.status().message())));
      sockets.push_back(*std::move(socket));
    }
  }
  return sockets;
}

void Claim::Follow(event::LibeventLoop& loop, Handler& handler) {
  handler_ = &handler;
  event::FdEvent::Handler& events = *this;
  event_ = std::make_unique<event::FdEvent>(loop, events);
  const int flags = ::fcntl(channel_.fd(), F_GETFL);
  const bool followed = flags >= 0 && ::fcntl(channel_.fd(), F_SETFL, flags | O_NONBLOCK) == 0 &&
                        event_->Watch(channel_.fd(), event::FdEvent::Interest::kReadable);
  if (!followed) event_->Trigger({.readable = true});
}

void Claim::Ready() {
  if (std::exchange(ready_, true)) return;
  channel_.Send({.kind = Kind::kReady, .addresses = {}, .text = {}}).IgnoreError();
}

absl::Status Claim::Serving(const std::vector<net::Address>& addresses) {
  return channel_.Send({.kind = Kind::kServing, .addresses = addresses, .text = {}});
}

void Claim::OnFdEvent(event::FdReadiness) {
  const absl::StatusOr<Received> received = channel_.Receive();
  if (absl::IsUnavailable(received.status())) return;
  event_->Unwatch();
  if (absl::IsAborted(received.status())) return handler_->OnIncumbentGone();
  if (!received.ok()) return handler_->OnDenied(std::string(base::ToStd(received.status().message())));
  if (received->message.kind == Kind::kGo) return handler_->OnGo();
  const bool refused = received->message.kind == Kind::kRefused;
  handler_->OnDenied(refused ? received->message.text : "it says what nobody asked for");
}

}  // namespace portico::takeover
