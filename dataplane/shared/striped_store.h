#ifndef PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_
#define PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/shared/generations.h"
#include "dataplane/shared/mutex.h"
#include "dataplane/shared/recent_map.h"

namespace portico::shared {

// Immutable values by key, for all threads: a lock for each stripe of keys, held for a look-up or a change and never
// while a value dies. `Hash` makes 64 bits of a key that nobody outside can foresee. Each stripe knows which of its
// values was used the longest ago; how much there may be of all is its owner's to say, who asks for evictions.
//
// What must not be put in any more is told by generations: who prepares a value for a key notes the key's generation
// first, and Replace refuses it if the key was invalidated since.
//
//   const uint64_t generation = store.Generation(key);       // before the origin is asked
//   … value = what it said …
//   store.Replace(key, store.Find(key), value, generation);  // false: something has changed since
template <typename Value, typename Hash>
class StripedStore {
 public:
  using Shared = std::shared_ptr<const Value>;
  static constexpr size_t kStripes = 64;  // more than there are threads

  explicit StripedStore(Hash hash = Hash()) : hash_(std::move(hash)) {}
  StripedStore(const StripedStore&) = delete;
  StripedStore& operator=(const StripedStore&) = delete;

  // nullptr: there is none. A use.
  Shared Find(std::string_view key) {
    if (is_closed()) return nullptr;
    const uint64_t hash = hash_(key);
    Stripe& stripe = StripeOf(hash);
    MutexLock lock(stripe.mutex);
    const Shared* found = stripe.values.Find(hash, key);
    if (found == nullptr) return nullptr;
    stripe.values.Use(hash);
    return *found;
  }

  uint64_t Generation(std::string_view key) const { return generations_.Of(hash_(key)); }

  // True: `value` (nullptr: nothing) is there now in the place of `expected` (nullptr: of nothing).
  bool Replace(std::string_view key, const Shared& expected, Shared value, uint64_t generation) {
    typename Values::List dead;
    const uint64_t hash = hash_(key);
    Stripe& stripe = StripeOf(hash);
    MutexLock lock(stripe.mutex);
    if (is_closed() || generations_.Of(hash) != generation) return false;
    const Shared* found = stripe.values.Find(hash, key);
    if ((found == nullptr ? nullptr : *found) != expected) return false;
    if (value != nullptr) {
      stripe.values.Put(hash, key, std::move(value), dead);
    } else if (found != nullptr) {
      stripe.values.Remove(hash, dead);
    }
    return true;
  }

  // What is there, and what is being prepared, is nobody's any more. True if there was something.
  bool Invalidate(std::string_view key) {
    typename Values::List dead;
    const uint64_t hash = hash_(key);
    Stripe& stripe = StripeOf(hash);
    MutexLock lock(stripe.mutex);
    generations_.Next(hash);
    if (stripe.values.Find(hash, key) == nullptr) return false;
    stripe.values.Remove(hash, dead);
    return true;
  }
  // The second half of that, for every key. Replace looks under the lock under which it puts in: what was prepared
  // before is, once a lock was taken after this, there or refused.
  void InvalidatePrepared() { generations_.NextOfAll(); }

  // From now on nothing is found and nothing put in, and what is there goes. As above: what looked before this is there
  // when the stripe's lock is taken.
  void Close() {
    closed_ = true;
    InvalidatePrepared();
    for (Stripe& stripe : stripes_) {
      typename Values::List dead;
      MutexLock lock(stripe.mutex);
      stripe.values.Clear(dead);
    }
  }
  bool is_closed() const { return closed_; }

  // Takes out what was used the longest ago, of one stripe after the other, and of that the first that has a weight.
  // `weigh` says what is won by a Shared's end, 0: it is to stay; it runs under a lock and waits for nobody. Returns
  // the weight; 0: there is nothing that could go.
  template <typename Weigh>
  size_t Evict(Weigh weigh) {
    for (size_t i = 0; i < kStripes; ++i) {
      typename Values::List dead;
      Stripe& stripe = stripes_[next_victim_.fetch_add(1, std::memory_order_relaxed) % kStripes];
      MutexLock lock(stripe.mutex);
      if (const size_t weight = stripe.values.Evict(weigh, dead); weight > 0) return weight;
    }
    return 0;
  }
  // What evictions would win, as far as they look, and as far as it is `wanted`.
  template <typename Weigh>
  size_t Evictable(size_t wanted, Weigh weigh) {
    size_t all = 0;
    for (Stripe& stripe : stripes_) {
      if (all >= wanted) break;
      MutexLock lock(stripe.mutex);
      all += stripe.values.Evictable(wanted - all, weigh);
    }
    return all;
  }

  // Of one stripe, 0 to kStripes - 1.
  std::vector<std::string> Keys(size_t index) const {
    const Stripe& stripe = stripes_[index];
    MutexLock lock(stripe.mutex);
    return stripe.values.Keys();
  }
  size_t size() const {
    size_t all = 0;
    for (const Stripe& stripe : stripes_) {
      MutexLock lock(stripe.mutex);
      all += stripe.values.size();
    }
    return all;
  }

 private:
  using Values = RecentMap<Value>;
  struct Stripe {
    mutable Mutex mutex;
    Values values PORTICO_GUARDED_BY(mutex);
  };

  Stripe& StripeOf(uint64_t hash) { return stripes_[hash % kStripes]; }

  const Hash hash_;
  std::array<Stripe, kStripes> stripes_;
  Generations generations_;
  std::atomic<size_t> next_victim_ = 0;
  std::atomic<bool> closed_ = false;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_STRIPED_STORE_H_
