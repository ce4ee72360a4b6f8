#include "dataplane/shared/bucket_table.h"

#include <algorithm>
#include <limits>

namespace portico::shared {
namespace {

constexpr size_t kPlacesMin = 16;
constexpr size_t kTablesKeptMin = 16;

// How many places so many keys need: then at most three quarters are taken.
size_t PlacesFor(size_t keys) {
  size_t places = kPlacesMin;
  while (places / 4 * 3 < keys)
    places *= 2;
  return places;
}

}  // namespace

BucketTable::BucketTable(const BucketLimits& limits, std::shared_ptr<std::atomic<size_t>> all_keys)
    : all_keys_max_(limits.all_keys_max),
      stripe_keys_max_(std::max<size_t>(limits.keys_max / kStripes, 1)),
      all_keys_(std::move(all_keys)) {}

BucketTable::~BucketTable() {
  for (Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    all_keys_->fetch_sub(stripe.keys, std::memory_order_relaxed);
  }
}

BucketTable::Result BucketTable::Take(uint64_t key, const Rate& rate, int64_t now_ns, Outcome if_none) {
  key = std::max<uint64_t>(key, 1);
  Stripe& stripe = stripes_[key >> 60];
  MutexLock lock(stripe.mutex);
  Result result;
  if (Bucket* bucket = FindOrAdd(stripe, key, now_ns)) {
    static_cast<Taken&>(result) = TakeToken(*bucket, rate, now_ns);
  } else {
    MutexLock overflow_lock(overflow_mutex_);
    static_cast<Taken&>(result) = TakeToken(overflow_, rate, now_ns);
    result.overflow = true;
    overflows_.Add();
  }
  ++stripe.outcomes[static_cast<size_t>(result.token ? Outcome::kPassed : if_none)];
  return result;
}

void BucketTable::GiveBack(uint64_t key, const Result& result, const Rate& rate, int64_t now_ns) {
  if (result.overflow) {
    MutexLock lock(overflow_mutex_);
    return GiveBackToken(overflow_, rate, now_ns);
  }
  key = std::max<uint64_t>(key, 1);
  Stripe& stripe = stripes_[key >> 60];
  MutexLock lock(stripe.mutex);
  // It may have been forgotten meanwhile: then it is full.
  if (stripe.places.empty()) return;
  Entry& entry = PlaceOf(stripe.places, key);
  if (entry.key != key) return;
  GiveBackToken(entry.bucket, rate, now_ns);
  stripe.none_full_before_ns = std::min(stripe.none_full_before_ns, entry.bucket.full_at_ns);
}

BucketTable::Counts BucketTable::Read() const {
  Counts counts;
  for (const Stripe& stripe : stripes_) {
    MutexLock lock(stripe.mutex);
    counts.keys += stripe.keys;
    for (size_t i = 0; i < kOutcomes; ++i)
      counts.outcomes[i] += stripe.outcomes[i];
  }
  counts.outcomes[static_cast<size_t>(Outcome::kSkipped)] = skipped_.value();
  counts.overflows = overflows_.value();
  return counts;
}

BucketTable::Entry& BucketTable::PlaceOf(std::vector<Entry>& places, uint64_t key) {
  size_t place = key & (places.size() - 1);
  while (places[place].key != 0 && places[place].key != key)
    place = (place + 1) & (places.size() - 1);
  return places[place];
}

bool BucketTable::HasNoRoom(const Stripe& stripe) const {
  return stripe.keys >= stripe_keys_max_ || all_keys_->load(std::memory_order_relaxed) >= all_keys_max_;
}

Bucket* BucketTable::FindOrAdd(Stripe& stripe, uint64_t key, int64_t now_ns) {
  if (!stripe.places.empty()) {
    Entry& entry = PlaceOf(stripe.places, key);
    if (entry.key == key) return &entry.bucket;
  }
  const bool was_full = HasNoRoom(stripe);
  if (was_full && now_ns < std::max(stripe.none_full_before_ns, stripe.no_walk_before_ns)) return nullptr;
  if (was_full || stripe.keys + 1 > stripe.places.size() / 4 * 3) MakeRoom(stripe, now_ns);
  if (HasNoRoom(stripe)) return nullptr;
  Entry& entry = PlaceOf(stripe.places, key);
  entry = {key, {}};
  ++stripe.keys;
  stripe.none_full_before_ns = 0;
  all_keys_->fetch_add(1, std::memory_order_relaxed);
  return &entry.bucket;
}

void BucketTable::MakeRoom(Stripe& stripe, int64_t now_ns) {
  std::vector<Entry> kept;
  int64_t first_full_ns = std::numeric_limits<int64_t>::max();
  for (const Entry& entry : stripe.places) {
    if (entry.key == 0 || entry.bucket.IsFull(now_ns)) continue;
    kept.push_back(entry);
    first_full_ns = std::min(first_full_ns, entry.bucket.full_at_ns);
  }
  all_keys_->fetch_sub(stripe.keys - kept.size(), std::memory_order_relaxed);
  stripe.keys = kept.size();
  stripe.none_full_before_ns = first_full_ns;
  stripe.no_walk_before_ns = now_ns + kWalkPauseNs;
  // Room for half as many more, or it would be walked again for each key.
  stripe.places.assign(PlacesFor(std::min(kept.size() + kept.size() / 2 + 1, stripe_keys_max_)), {});
  for (const Entry& entry : kept)
    PlaceOf(stripe.places, entry.key) = entry;
}

std::shared_ptr<BucketTable> BucketTables::Of(const std::string& name, const std::string& shape) {
  MutexLock lock(mutex_);
  if (tables_.size() >= sweep_at_) {
    std::erase_if(tables_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max(kTablesKeptMin, 2 * tables_.size());
  }
  std::weak_ptr<BucketTable>& known = tables_[{name, shape}];
  std::shared_ptr<BucketTable> table = known.lock();
  if (table == nullptr) known = table = std::make_shared<BucketTable>(limits_, all_keys_);
  return table;
}

std::map<std::string, BucketTable::Counts> BucketTables::Read() const {
  std::vector<std::pair<std::string, std::shared_ptr<BucketTable>>> live;
  {
    MutexLock lock(mutex_);
    for (const auto& [key, table] : tables_)
      if (std::shared_ptr<BucketTable> held = table.lock()) live.emplace_back(key.first, std::move(held));
  }
  std::map<std::string, BucketTable::Counts> out;
  for (const auto& [name, table] : live) {
    const BucketTable::Counts counts = table->Read();
    BucketTable::Counts& total = out[name];
    for (size_t i = 0; i < BucketTable::kOutcomes; ++i)
      total.outcomes[i] += counts.outcomes[i];
    total.overflows += counts.overflows;
    total.keys += counts.keys;
  }
  return out;
}

}  // namespace portico::shared
