#include "dataplane/net/lookup_queue.h"

#include <string>
#include <utility>

namespace portico::net {

class LookupQueue::Entry final : public Lookup,
                                 public base::ListLink<struct LookupQueueTag>,
                                 private Resolver::Handler {
 public:
  Entry(LookupQueue& queue, std::string_view name, Family family, Resolver::Handler& handler)
      : queue_(queue), name_(name), family_(family), handler_(handler) {}
  ~Entry() override {
    if (lookup_ != nullptr) queue_.Release();
  }

  void Begin() {
    ++queue_.under_way_;
    Resolver::Handler& self = *this;
    lookup_ = queue_.resolver_.Resolve(name_, family_, self);
  }

 private:
  void OnResolved(Resolution resolution) override {
    lookup_.reset();
    queue_.Release();
    // Last: it may destroy this.
    handler_.OnResolved(std::move(resolution));
  }

  LookupQueue& queue_;
  const std::string name_;
  const Family family_;
  Resolver::Handler& handler_;
  std::unique_ptr<Lookup> lookup_;  // nullptr: it waits, or is over
};

LookupQueue::LookupQueue(event::Loop& loop, Resolver& resolver, const LookupLimits& limits)
    : loop_(loop), resolver_(resolver), limits_(limits) {}

LookupQueue::~LookupQueue() = default;

std::unique_ptr<Resolver::Lookup> LookupQueue::Resolve(std::string_view name, Family family, Handler& handler) {
  auto entry = std::make_unique<Entry>(*this, name, family, handler);
  if (under_way_ < limits_.lookups_max && waiting_.empty()) {
    entry->Begin();
  } else {
    waiting_.PushBack(*entry);
  }
  return entry;
}

void LookupQueue::Release() {
  --under_way_;
  if (!waiting_.empty()) loop_.AtTurnEnd(*this);
}

void LookupQueue::OnTurnEnd() {
  while (under_way_ < limits_.lookups_max && !waiting_.empty()) {
    Entry& entry = *waiting_.front();
    entry.Unlink();
    entry.Begin();
  }
}

}  // namespace portico::net
