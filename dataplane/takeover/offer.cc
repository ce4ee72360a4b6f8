#include "dataplane/takeover/offer.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/base/errno_text.h"

namespace portico::takeover {

namespace {

using base::Concat;
using Kind = Message::Kind;

constexpr int kBacklog = 16;
constexpr int kMeetingsPerTurnMax = 16;

absl::Status ErrorAt(const std::string& path) {
  return absl::UnavailableError(base::ToAbsl(Concat(path, ": ", base::ErrnoText(errno))));
}

uint64_t InodeOf(const std::string& path) {
  struct stat file{};
  return ::lstat(path.c_str(), &file) == 0 ? file.st_ino : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Offer>> Offer::Create(event::LibeventLoop& loop, const std::string& path,
                                                     Handler& handler, const Times& times) {
  absl::StatusOr<base::FileDescriptor> fd = OpenUnixSocket(/*blocking=*/false);
  if (!fd.ok()) return fd.status();
  auto offer = std::unique_ptr<Offer>(new Offer(loop, path, *std::move(fd), handler, times));
  const std::string& beside = offer->bound_;
  ::unlink(beside.c_str());  // of a process that had our number before
  const struct sockaddr_un address = UnixAddress(beside);
  // The mode before the name: there is no moment at which others could connect.
  if (::fchmod(offer->fd_.get(), 0600) != 0 ||
      ::bind(offer->fd_.get(), reinterpret_cast<const struct sockaddr*>(&address), sizeof address) != 0) {
    return ErrorAt(beside);
  }
  offer->inode_ = InodeOf(beside);
  if (::listen(offer->fd_.get(), kBacklog) != 0) return ErrorAt(beside);
  return offer;
}

Offer::Offer(event::LibeventLoop& loop, const std::string& path, base::FileDescriptor fd, Handler& handler,
             const Times& times)
    : loop_(loop),
      path_(path),
      bound_(Concat(path, ".", ::getpid())),
      handler_(handler),
      times_(times),
      fd_(std::move(fd)),
      event_(loop, *this),
      ear_event_(loop, ear_),
      timer_(loop.timers(), *this) {}

Offer::~Offer() {
  if (inode_ != 0 && InodeOf(bound_) == inode_) ::unlink(bound_.c_str());
}

absl::Status Offer::Open() {
  if (::rename(bound_.c_str(), path_.c_str()) != 0) return ErrorAt(path_);
  bound_ = path_;
  if (!event_.Watch(fd_.get(), event::FdEvent::Interest::kReadable)) return ErrorAt(path_);
  return absl::OkStatus();
}

void Offer::OnFdEvent(event::FdReadiness) {
  for (int i = 0; i < kMeetingsPerTurnMax; ++i) {
    base::FileDescriptor fd(::accept4(fd_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!fd.valid()) return;
    Meet(Channel(std::move(fd)));
  }
}

void Offer::Meet(Channel channel) {
  const absl::StatusOr<Channel::Peer> peer = channel.CheckedPeer();
  if (!peer.ok()) return TurnAway(channel, base::ToStd(peer.status().message()));
  if (state_ != State::kNobody) {
    const std::string_view why =
        state_ == State::kServed ? "has handed its sockets over already" : "is being taken over by another process";
    return TurnAway(channel, Concat("process ", ::getpid(), " ", why, "; process ", peer->pid, " may try again"));
  }
  channel_.emplace(std::move(channel));
  successor_ = peer->pid;
  if (!ear_event_.Watch(channel_->fd(), event::FdEvent::Interest::kReadable)) return Forget();
  state_ = State::kAsking;
  timer_.Set(loop_.Now() + times_.ask);
}

void Offer::TurnAway(Channel& channel, std::string_view why) {
  channel.Send({.kind = Kind::kRefused, .addresses = {}, .text = std::string(why)}).IgnoreError();
  handler_.OnTurnedAway(std::string(why));
}

void Offer::Hear() {
  const absl::StatusOr<Received> received = channel_->Receive();
  if (absl::IsUnavailable(received.status())) return;
  if (state_ == State::kServed) return Forget();
  if (received.ok()) return Judge(received->message);
  if (absl::IsAborted(received.status())) return Part("is gone before it served");
  Refuse(base::ToStd(received.status().message()));
}

// Everything that is not in its turn ends it.
void Offer::Judge(const Message& message) {
  if (state_ == State::kAsking && message.kind == Kind::kAsk) {
    state_ = State::kAsked;
    timer_.Cancel();
    return handler_.OnAsked(successor_);
  }
  if (state_ == State::kGiven && message.kind == Kind::kReady) {
    state_ = State::kPromised;
    timer_.Cancel();
    const absl::Status sent = channel_->Send({.kind = Kind::kGo, .addresses = {}, .text = {}});
    return sent.ok() ? void() : Part("is gone before it served");
  }
  if (state_ == State::kPromised && message.kind == Kind::kServing) {
    state_ = State::kServed;
    return handler_.OnServing(successor_, {message.addresses.begin(), message.addresses.end()});
  }
  Refuse("it says what nobody asked for");
}

void Offer::OnTimer(event::Timer&) {
  if (state_ == State::kAsking) return Refuse("it asks for nothing");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(times_.serve).count();
  Refuse(Concat("it did not serve within ", seconds, " s"));
}

void Offer::Give(const std::vector<net::ListeningSocket>& sockets) {
  if (state_ != State::kAsked) return;
  if (sockets.size() > Message::kSocketsMax) {
    return Refuse(Concat("it would have to take ", sockets.size(), " sockets over; at most ", Message::kSocketsMax));
  }
  if (const absl::Status sent = SendSockets(sockets); !sent.ok()) return Part(base::ToStd(sent.message()));
  state_ = State::kGiven;
  timer_.Set(loop_.Now() + times_.serve);
}

absl::Status Offer::SendSockets(const std::vector<net::ListeningSocket>& sockets) {
  size_t done = 0;
  do {
    std::vector<int> numbers;
    const size_t end = std::min(sockets.size(), done + Message::kDescriptorsMax);
    for (; done < end; ++done)
      numbers.push_back(sockets[done].fd.get());
    const Message message = {.kind = Kind::kSockets, .more = done < sockets.size(), .addresses = {}, .text = {}};
    if (absl::Status sent = channel_->Send(message, numbers); !sent.ok()) return sent;
  } while (done < sockets.size());
  return absl::OkStatus();
}

void Offer::Refuse(std::string_view why) {
  if (!channel_ || state_ == State::kServed) return;
  channel_->Send({.kind = Kind::kRefused, .addresses = {}, .text = std::string(why)}).IgnoreError();
  Part(Concat("is refused: ", why));
}

void Offer::Part(std::string_view why) {
  const bool asked = state_ >= State::kAsked;
  const std::string text = Concat("process ", successor_, " ", why);
  Forget();
  asked ? handler_.OnStays(text) : handler_.OnTurnedAway(text);
}

void Offer::Forget() {
  ear_event_.Unwatch();
  channel_.reset();
  timer_.Cancel();
  if (state_ != State::kServed) state_ = State::kNobody;
}

}  // namespace portico::takeover
