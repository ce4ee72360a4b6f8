#include "test/support/sim/sim_world.h"

#include <algorithm>

#include "api/base/check.h"
#include "api/base/text.h"
#include "test/support/sim/sim_connection.h"
#include "test/support/sim/sim_loop.h"

namespace portico::sim {

namespace {

constexpr uint64_t kFnvOffset = 0xcbf29ce484222325;
constexpr uint64_t kFnvPrime = 0x100000001b3;

}  // namespace

// The clock does not begin at zero, which means "nothing" in the proxy.
SimWorld::SimWorld(uint64_t seed)
    : seed_(seed), random_(seed), now_(std::chrono::hours(1000)), trace_hash_(kFnvOffset) {}

SimWorld::~SimWorld() {
  PORTICO_CHECK(loops_.empty() && live_streams_ == 0 && live_acceptors_ == 0, "the world dies last");
}

base::Duration SimWorld::Between(base::Duration min, base::Duration max) {
  return min + base::Duration(random_.Below(static_cast<uint64_t>((max - min).count()) + 1));
}

void SimWorld::At(base::MonotonicTime time, std::function<void()> event) {
  events_.emplace(std::pair(std::max(time, now_), std::pair(random_.Next(), next_id_++)), std::move(event));
}

bool SimWorld::RunUntil(const std::function<bool()>& predicate, base::Duration within) {
  const base::MonotonicTime deadline = now_ + within;
  for (uint64_t step = 0; !predicate(); ++step) {
    PORTICO_CHECK(step < kStepsPerRunMax, "the world spins");
    if (events_.empty() || events_.begin()->first.first > deadline) {
      now_ = deadline;
      return predicate();
    }
    auto event = events_.extract(events_.begin());
    now_ = event.key().first;
    event.mapped()();
  }
  return true;
}

bool SimWorld::RunUntilIdle(base::Duration within) {
  return RunUntil([this] { return events_.empty(); }, within);
}

void SimWorld::RunFor(base::Duration duration) {
  RunUntil([] { return false; }, duration);
}

uint64_t SimWorld::AddLoop(SimLoop& loop) {
  const uint64_t id = next_id_++;
  loops_[id] = &loop;
  return id;
}

SimLoop* SimWorld::FindLoop(uint64_t id) const {
  const auto place = loops_.find(id);
  return place == loops_.end() ? nullptr : place->second;
}

SimConnection* SimWorld::FindConnection(uint64_t id) const {
  const auto place = connections_.find(id);
  return place == connections_.end() ? nullptr : place->second.get();
}

void SimWorld::Forget(SimConnection& connection) {
  After(base::Duration::zero(), [this, id = connection.id()] {
    const SimConnection* found = FindConnection(id);
    if (found != nullptr && found->Finished()) connections_.erase(id);
  });
}

std::string SimWorld::Leaks() const {
  std::string leaks;
  const auto add = [&leaks](std::string_view what, size_t count) {
    if (count > 0) leaks += base::Concat(leaks.empty() ? "" : ", ", count, " ", what);
  };
  add("streams", live_streams_);
  add("acceptors", live_acceptors_);
  for (const auto& [id, loop] : loops_)
    add(base::Concat("timers of ", loop->name()), loop->timers().size());
  return leaks;
}

void SimWorld::Trace(std::string_view line) {
  const std::string entry = base::Concat((now_.time_since_epoch() - std::chrono::hours(1000)).count(), " ", line, "\n");
  for (char c : entry)
    trace_hash_ = (trace_hash_ ^ static_cast<uint8_t>(c)) * kFnvPrime;
  if (keep_text_) trace_text_ += entry;
}

}  // namespace portico::sim
