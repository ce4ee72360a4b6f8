#ifndef PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_
#define PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "dataplane/shared/mutex.h"

namespace portico::shared {

// Immutable values by key, for all threads: a lock for each stripe of keys, held for a look-up or a change and never
// while a value dies or anybody else's code runs. Each stripe knows which of its values was used the longest ago; how
// much there may be of all is its owner's to say, who asks for one to be evicted after the other.
//
// What must not be put in any more is told by generations: who prepares a value for a key notes the key's generation
// first, and Replace refuses it if the key was invalidated since. Keys share them (kGenerations for each stripe), so at
// worst something is refused for another's sake.
//
//   const uint64_t generation = store.Generation(key);       // before the origin is asked
//   … value = what it said …
//   store.Replace(key, store.Find(key), value, generation);  // false: something has changed since
template <typename Value>
class StripedStore {
 public:
  using Shared = std::shared_ptr<const Value>;
  static constexpr size_t kStripes = 64;      // more than there are threads
  static constexpr size_t kGenerations = 64;  // of a stripe: 4096 in all, so that few share one with a busy key

  StripedStore() = default;
  StripedStore(const StripedStore&) = delete;
  StripedStore& operator=(const StripedStore&) = delete;

  // nullptr: there is none. A use.
  Shared Find(std::string_view key) {
    Stripe& stripe = StripeOf(key);
    MutexLock lock(stripe.mutex);
    const auto found = stripe.entries.find(key);
    if (found == stripe.entries.end()) return nullptr;
    stripe.used.splice(stripe.used.begin(), stripe.used, found->second);
    return found->second->value;
  }

  uint64_t Generation(std::string_view key) const {
    const Stripe& stripe = StripeOf(key);
    MutexLock lock(stripe.mutex);
    return stripe.generations[GenerationIndex(key)];
  }

  // True: `value` (nullptr: nothing) is there now in the place of `expected` (nullptr: of nothing).
  bool Replace(std::string_view key, const Shared& expected, Shared value, uint64_t generation) {
    std::list<Entry> dead;
    Stripe& stripe = StripeOf(key);
    MutexLock lock(stripe.mutex);
    if (stripe.generations[GenerationIndex(key)] != generation) return false;
    const auto found = stripe.entries.find(key);
    if ((found == stripe.entries.end() ? nullptr : found->second->value) != expected) return false;
    if (found != stripe.entries.end()) Remove(stripe, found, dead);
    if (value != nullptr) Add(stripe, key, std::move(value));
    return true;
  }

  // What is there, and what is being prepared, is nobody's any more. True if there was something.
  bool Invalidate(std::string_view key) {
    std::list<Entry> dead;
    Stripe& stripe = StripeOf(key);
    MutexLock lock(stripe.mutex);
    ++stripe.generations[GenerationIndex(key)];
    const auto found = stripe.entries.find(key);
    if (found == stripe.entries.end()) return false;
    Remove(stripe, found, dead);
    return true;
  }
  // The second half of that, for every key.
  void InvalidatePrepared() {
    for (Stripe& stripe : stripes_) {
      MutexLock lock(stripe.mutex);
      for (uint64_t& generation : stripe.generations)
        ++generation;
    }
  }

  // Takes out what was used the longest ago, of one stripe after the other. False: there is nothing left.
  bool Evict() {
    for (size_t i = 0; i < kStripes; ++i) {
      std::list<Entry> dead;
      Stripe& stripe = stripes_[next_victim_.fetch_add(1, std::memory_order_relaxed) % kStripes];
      MutexLock lock(stripe.mutex);
      if (stripe.used.empty()) continue;
      Remove(stripe, stripe.entries.find(std::string_view(stripe.used.back().key)), dead);
      return true;
    }
    return false;
  }

  // Of one stripe, 0 to kStripes - 1.
  std::vector<std::string> Keys(size_t index) const {
    std::vector<std::string> keys;
    const Stripe& stripe = stripes_[index];
    MutexLock lock(stripe.mutex);
    for (const Entry& entry : stripe.used)
      keys.push_back(entry.key);
    return keys;
  }

  size_t size() const { return size_.load(std::memory_order_relaxed); }

 private:
  struct Entry {
    std::string key;
    Shared value;
  };
  using Entries = std::unordered_map<std::string_view, typename std::list<Entry>::iterator>;  // keys are the entries'
  struct Stripe {
    mutable Mutex mutex;
    std::list<Entry> used PORTICO_GUARDED_BY(mutex);  // the latest first
    Entries entries PORTICO_GUARDED_BY(mutex);
    std::array<uint64_t, kGenerations> generations PORTICO_GUARDED_BY(mutex){};
  };

  static size_t Hash(std::string_view key) { return std::hash<std::string_view>()(key); }
  Stripe& StripeOf(std::string_view key) { return stripes_[Hash(key) % kStripes]; }
  const Stripe& StripeOf(std::string_view key) const { return stripes_[Hash(key) % kStripes]; }
  static size_t GenerationIndex(std::string_view key) { return Hash(key) / kStripes % kGenerations; }

  void Add(Stripe& stripe, std::string_view key, Shared value) PORTICO_REQUIRES(stripe.mutex) {
    stripe.used.push_front({std::string(key), std::move(value)});
    stripe.entries.emplace(stripe.used.front().key, stripe.used.begin());
    size_.fetch_add(1, std::memory_order_relaxed);
  }
  // Into `dead`, which was declared before the lock was taken, so that it goes after that is given back.
  void Remove(Stripe& stripe, typename Entries::iterator found, std::list<Entry>& dead) PORTICO_REQUIRES(stripe.mutex) {
    dead.splice(dead.begin(), stripe.used, found->second);
    stripe.entries.erase(found);
    size_.fetch_sub(1, std::memory_order_relaxed);
  }

  std::array<Stripe, kStripes> stripes_;
  std::atomic<size_t> next_victim_ = 0;
  std::atomic<size_t> size_ = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_
