#ifndef PORTICO_DATAPLANE_FILTER_WORKER_SLOTS_H_
#define PORTICO_DATAPLANE_FILTER_WORKER_SLOTS_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <typeindex>
#include <utility>

namespace portico::filter {

// Where filters keep what outlives a configuration, one per worker, used on its thread alone: caches, counters. A slot
// is found by its type and a key that tells what it is about by content (a digest of all that makes its data valid), so
// that a new snapshot with the same content finds it again.
//
//   std::shared_ptr<JwtCache> cache = slots.Get<JwtCache>(method->digest, method);
//   ... the snapshot is replaced, its last exchange ends ...
//   slots.Sweep();   // forgets the slots whose owner is gone
//
// `owner` is the piece of configuration that needs the slot; the latest to ask counts.
class WorkerSlots {
 public:
  WorkerSlots() = default;
  WorkerSlots(const WorkerSlots&) = delete;
  WorkerSlots& operator=(const WorkerSlots&) = delete;

  template <typename State>
  std::shared_ptr<State> Get(std::string_view key, const std::shared_ptr<const void>& owner) {
    Slot& slot = slots_[{std::type_index(typeid(State)), std::string(key)}];
    if (slot.state == nullptr) slot.state = std::make_shared<State>();
    slot.owner = owner;
    return std::static_pointer_cast<State>(slot.state);
  }

  void Sweep() {
    std::erase_if(slots_, [](const auto& entry) { return entry.second.owner.expired(); });
  }

  size_t size() const { return slots_.size(); }

 private:
  struct Slot {
    std::shared_ptr<void> state;
    std::weak_ptr<const void> owner;
  };
  std::map<std::pair<std::type_index, std::string>, Slot> slots_;
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_WORKER_SLOTS_H_
