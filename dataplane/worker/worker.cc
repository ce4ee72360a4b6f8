#include "dataplane/worker/worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "api/base/check.h"
#include "dataplane/listener/bind_address.h"
#include "dataplane/observe/families.h"

namespace portico::worker {
namespace {

std::optional<size_t> ConnectionsMax(const snapshot::Snapshot& snapshot, const WorkerParts& parts) {
  if (!snapshot.ports.empty() && snapshot.ports.front()->client->connections_max) {
    return snapshot.ports.front()->client->connections_max;
  }
  return parts.connections_max;
}

}  // namespace

Worker::Worker(const WorkerParts& parts)
    : parts_(parts),
      random_(parts.seed),
      cache_(parts.loop, limits().responses()),
      traffic_(parts.metrics, parts.log),
      log_(parts.loop, LogSink(), parts.metrics.CounterOf(observe::kAccessLogDroppedLines, {})),
      clusters_(parts.loop, parts.network, pool_, random_, traffic_, limits()),
      budget_(parts.loop, limits().clients()) {}

Worker::~Worker() {
  PORTICO_CHECK(idle() && listeners_.empty() && leaving_.empty(), "Close() first, and let the loop turn");
}

AccessLogBuffer::Sink Worker::LogSink() const {
  if (parts_.access_log == nullptr) return nullptr;
  return [log = parts_.access_log](std::string& lines) { return log->TryWrite(lines); };
}

absl::Status Worker::Prepare(const std::shared_ptr<const snapshot::Snapshot>& next) {
  const std::vector<listener::BindAddress> addresses = listener::BindAddresses(next->addresses);
  const listener::ListenerParts listener_parts = {parts_.loop,    parts_.network, pool_, scratch_,
                                                  parts_.metrics, budget_,        *this};
  listener::Listener::Owner& owner = *this;
  for (const std::shared_ptr<const snapshot::Port>& port : next->ports) {
    const auto known = listeners_.find(port->number);
    std::unique_ptr<listener::Listener>& listener = known != listeners_.end() ? known->second : prepared_[port->number];
    if (listener == nullptr) listener = std::make_unique<listener::Listener>(listener_parts, owner);
    const absl::Status bound = listener->Bind(*port, addresses);
    if (bound.ok()) continue;
    Abandon();
    return bound;
  }
  return absl::OkStatus();
}

void Worker::Abandon() {
  prepared_.clear();
  for (const auto& [number, listener] : listeners_)
    listener->Unbind();
}

// Clusters first: whoever is routed by the new ports finds them.
void Worker::Swap(std::shared_ptr<const snapshot::Snapshot> next) {
  clusters_.Swap(next->clusters);
  budget_.set_connections_max(ConnectionsMax(*next, parts_));
  SwapListeners(*next);
  traffic_.KeepOnly(*next);
  snapshot_ = std::move(next);
  RetireLabels();
  SweepSlots();
}

void Worker::SwapListeners(const snapshot::Snapshot& next) {
  Listeners before = std::exchange(listeners_, std::exchange(prepared_, {}));
  for (const std::shared_ptr<const snapshot::Port>& port : next.ports) {
    listeners_.insert(before.extract(port->number));
    const auto found = listeners_.find(port->number);
    PORTICO_CHECK(found != listeners_.end(), "Swap without Prepare");
    found->second->Update(port);
    labels_.insert(found->second->label());
  }
  for (auto& [number, listener] : before)
    Leave(std::move(listener));
}

void Worker::Leave(std::unique_ptr<listener::Listener> listener) {
  listener->Drain(true);
  if (listener->connections() == 0) return Bury(std::move(listener));
  leaving_.push_back(std::move(listener));
}

// Connections and exchanges that die in this round of deletions still know their listener: it goes in the next.
void Worker::Bury(std::unique_ptr<listener::Listener> listener) {
  struct Grave : event::Deletable {
    Grave(event::Loop& its_loop, std::unique_ptr<listener::Listener> dead) : loop(its_loop), body(std::move(dead)) {}
    ~Grave() override { loop.DeleteLater(std::move(body)); }
    event::Loop& loop;
    std::unique_ptr<listener::Listener> body;
  };
  parts_.loop.DeleteLater(std::make_unique<Grave>(parts_.loop, std::move(listener)));
}

void Worker::OnEmpty(listener::Listener& listener) {
  const auto found =
      std::find_if(leaving_.begin(), leaving_.end(), [&](const auto& one) { return one.get() == &listener; });
  if (found == leaving_.end()) return;
  Bury(std::move(*found));
  leaving_.erase(found);
  RetireLabels();
}

// A label stays while any listener counts under it: a name may have moved to another port.
void Worker::RetireLabels() {
  std::set<std::string_view> used;
  ForEachListener([&](const listener::Listener& listener) { used.insert(listener.label()); });
  std::erase_if(labels_, [&](const std::string& label) {
    if (used.contains(label)) return false;
    parts_.metrics.Retire("listener", label);
    return true;
  });
}

template <typename Act>
void Worker::ForEachListener(Act act) {
  for (const auto& [number, listener] : listeners_)
    act(*listener);
  for (const auto& listener : leaving_)
    act(*listener);
}

void Worker::OnExchangeEnd(const observe::ExchangeRecord& record) {
  traffic_.OnExchangeEnd(record);
  if (snapshot_->access_log.kind != snapshot::AccessLogTarget::Kind::kNone) log_.Add(record);
}

void Worker::Drain(bool final) {
  ForEachListener([&](listener::Listener& listener) { listener.Drain(final); });
  log_.Flush();
}

void Worker::Close() {
  prepared_.clear();
  for (auto& [number, listener] : std::exchange(listeners_, {}))
    leaving_.push_back(std::move(listener));
  for (std::unique_ptr<listener::Listener>& listener : std::exchange(leaving_, {})) {
    listener->Close();
    Bury(std::move(listener));
  }
  clusters_.Clear();
  log_.Flush();
}

}  // namespace portico::worker
