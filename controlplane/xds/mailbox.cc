#include "controlplane/xds/mailbox.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::xds {

using base::Concat;
using base::ToAbsl;

absl::StatusOr<uint64_t> Mailbox::Open(std::shared_ptr<Outlet> outlet, Peer peer) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return absl::UnavailableError("this control plane ends");
  if (open_.size() >= streams_max_) {
    return absl::ResourceExhaustedError(
        ToAbsl(Concat("at most ", streams_max_, " streams; try another control plane")));
  }
  std::string holder = HolderOf(peer);
  size_t& held = holders_[holder];
  if (held >= holder_streams_max_) {
    return absl::ResourceExhaustedError(ToAbsl(
        Concat("at most ", holder_streams_max_, " streams of one address and certificate; try another control plane")));
  }
  ++held;
  const uint64_t id = ++last_id_;
  open_[id] = std::move(holder);
  Letters& letters = letters_[id];
  letters.outlet = std::move(outlet);
  letters.peer = std::move(peer);
  return id;
}

void Mailbox::OnRequest(uint64_t id, Feed::Request request) {
  absl::MutexLock lock(&mutex_);
  if (open_.count(id) == 0) return;
  std::optional<Feed::Request>& waiting = letters_[id].request;
  PORTICO_CHECK(!waiting.has_value(), "one request at a time");
  waiting = std::move(request);
}

void Mailbox::OnWritten(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  if (open_.count(id) > 0) letters_[id].written = true;
}

void Mailbox::OnClosed(uint64_t id) {
  absl::MutexLock lock(&mutex_);
  const auto open = open_.find(id);
  if (open == open_.end()) return;
  const auto holder = holders_.find(open->second);
  if (--holder->second == 0) holders_.erase(holder);
  open_.erase(open);
  letters_[id].closed = true;
}

void Mailbox::OnStep(const model::Step& step) {
  absl::MutexLock lock(&mutex_);
  if (ended_) return;
  steps_.after = step.after;
  for (const model::ResourceChange& change : step.changes)
    steps_.changes[change.key] = change.kind;
}

void Mailbox::End() {
  absl::MutexLock lock(&mutex_);
  ended_ = true;
  open_.clear();
  holders_.clear();
}

// A clock that was set back does not hold it up.
int64_t Mailbox::UntilTick(const Feed& feed) {
  const int64_t now = feed.Now();
  if (next_tick_us_ == 0 || next_tick_us_ > now + kTickMicros) next_tick_us_ = now + kTickMicros;
  return std::max<int64_t>(0, next_tick_us_ - now);
}

bool Mailbox::Deliver(Feed& feed) {
  const int64_t rest_us = UntilTick(feed);
  std::map<uint64_t, Letters> letters;
  Steps steps;
  bool ended = false;
  {
    absl::MutexLock lock(&mutex_);
    const auto is_awake = [this]() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
      return ended_ || !letters_.empty() || steps_.after != nullptr;
    };
    mutex_.AwaitWithTimeout(absl::Condition(&is_awake), absl::Microseconds(rest_us));
    letters = std::exchange(letters_, {});
    steps = std::exchange(steps_, {});
    ended = ended_;
  }
  if (steps.after != nullptr) {
    std::vector<model::ResourceChange> changes;
    for (const auto& [key, kind] : steps.changes)
      changes.push_back({key, kind});
    feed.OnStep(*steps.after, changes);
  }
  for (auto& [id, one] : letters)
    Deliver(feed, id, std::move(one));
  if (UntilTick(feed) == 0) {
    next_tick_us_ = feed.Now() + kTickMicros;
    feed.Tick();
  }
  if (ended) feed.End();
  return !ended;
}

void Mailbox::Deliver(Feed& feed, uint64_t id, Letters letters) {
  if (letters.outlet != nullptr) feed.Open(id, std::move(letters.outlet), std::move(letters.peer));
  if (letters.closed) return feed.OnClosed(id);
  if (letters.written) feed.OnWritten(id);
  if (letters.request.has_value()) feed.OnRequest(id, *letters.request);
}

}  // namespace portico::xds
