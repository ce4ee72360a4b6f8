#ifndef PORTICO_DATAPLANE_SHARED_BUCKET_TABLE_H_
#define PORTICO_DATAPLANE_SHARED_BUCKET_TABLE_H_

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/shared/counter.h"
#include "dataplane/shared/mutex.h"
#include "dataplane/shared/token_bucket.h"

namespace portico::shared {

struct BucketLimits {
  // Keys of one table that are not at rest. A key costs 24 bytes, at most 64 while its part of the table grows.
  size_t keys_max = 65'536;
  // Of all tables together, so that many limits that are attacked at once don't take the memory: 64 MB.
  size_t all_keys_max = 1'048'576;
};

// The buckets of one limit by key, for all threads. A key is a hash that nobody outside can foresee: it is spread
// evenly over the stripes, each with a lock of its own that is held for a look-up.
//
// Memory is bounded: a bucket that is full again is forgotten, nothing is lost by that, when its place is wanted. Where
// all places are taken by others, a key that has none shares one bucket with all others that have none: a table that is
// full limits more, never less. To make room costs a walk over a stripe: it is made for half as many keys as there are,
// or, where there is no more room, once in kWalkPauseNs at most, however many ask.
class BucketTable {
 public:
  // A walk over the 4096 keys of a stripe takes tens of microseconds: all 16 cost a core a few per cent at the most.
  static constexpr int64_t kWalkPauseNs = 10'000'000;

  // What became of requests, from this limit's side.
  enum class Outcome : uint8_t { kPassed, kLimited, kWouldLimit, kSkipped };
  static constexpr size_t kOutcomes = 4;
  struct Counts {
    std::array<uint64_t, kOutcomes> outcomes{};
    uint64_t overflows = 0;  // requests that shared the bucket of those without a place
    size_t keys = 0;
  };

  // `all_keys` counts the keys of all tables.
  BucketTable(const BucketLimits& limits, std::shared_ptr<std::atomic<size_t>> all_keys);
  ~BucketTable();
  BucketTable(const BucketTable&) = delete;
  BucketTable& operator=(const BucketTable&) = delete;

  struct Result : Taken {
    bool overflow = false;
  };
  // `if_none`: what it is counted as where there is no token, kLimited or kWouldLimit.
  Result Take(uint64_t key, const Rate& rate, int64_t now_ns, Outcome if_none);
  // Undoes a Take that got a token. It stays counted: this limit has let it pass.
  void GiveBack(uint64_t key, const Result& result, const Rate& rate, int64_t now_ns);
  // A request that this limit does not count.
  void Skip() { skipped_.Add(); }

  Counts Read() const;

 private:
  static constexpr size_t kStripes = 16;

  struct Entry {
    uint64_t key = 0;  // 0: nobody's place
    Bucket bucket;
  };
  struct alignas(64) Stripe {
    mutable Mutex mutex;
    // Open addressing with linear probing, at most three quarters full; a power of two, or empty.
    std::vector<Entry> places PORTICO_GUARDED_BY(mutex);
    size_t keys PORTICO_GUARDED_BY(mutex) = 0;
    // Until both are over a key that finds no place is not worth a walk: no bucket is full before the first, and the
    // last walk was too short a time before the second.
    int64_t none_full_before_ns PORTICO_GUARDED_BY(mutex) = 0;
    int64_t no_walk_before_ns PORTICO_GUARDED_BY(mutex) = 0;
    std::array<uint64_t, kOutcomes> outcomes PORTICO_GUARDED_BY(mutex){};
  };

  // The place of a key, or where it would be. There are places.
  static Entry& PlaceOf(std::vector<Entry>& places, uint64_t key);
  bool HasNoRoom(const Stripe& stripe) const PORTICO_REQUIRES(stripe.mutex);
  // nullptr: there is no room for it.
  Bucket* FindOrAdd(Stripe& stripe, uint64_t key, int64_t now_ns) PORTICO_REQUIRES(stripe.mutex);
  // Forgets the full ones and has places for one more.
  void MakeRoom(Stripe& stripe, int64_t now_ns) PORTICO_REQUIRES(stripe.mutex);

  const size_t all_keys_max_;
  const size_t stripe_keys_max_;
  const std::shared_ptr<std::atomic<size_t>> all_keys_;
  std::array<Stripe, kStripes> stripes_;
  Mutex overflow_mutex_;
  Bucket overflow_ PORTICO_GUARDED_BY(overflow_mutex_);
  SharedCounter skipped_, overflows_;
};

// The tables of the process, by who they are: a limit's name, and what it tells requests apart by. A table lives as
// long as anybody holds it, which snapshots do: so a new one finds the counts of the one before, and what none names is
// gone.
class BucketTables {
 public:
  explicit BucketTables(const BucketLimits& limits = {}) : limits_(limits) {}
  BucketTables(const BucketTables&) = delete;
  BucketTables& operator=(const BucketTables&) = delete;

  // Any thread. Another `shape` is another table: the keys of two have nothing to do with each other.
  std::shared_ptr<BucketTable> Of(const std::string& name, const std::string& shape) PORTICO_EXCLUDES(mutex_);

  // What each has counted, by name.
  std::map<std::string, BucketTable::Counts> Read() const PORTICO_EXCLUDES(mutex_);

 private:
  const BucketLimits limits_;
  const std::shared_ptr<std::atomic<size_t>> all_keys_ = std::make_shared<std::atomic<size_t>>(0);
  mutable Mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::weak_ptr<BucketTable>> tables_ PORTICO_GUARDED_BY(mutex_);
  size_t sweep_at_ PORTICO_GUARDED_BY(mutex_) = 0;
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_BUCKET_TABLE_H_
