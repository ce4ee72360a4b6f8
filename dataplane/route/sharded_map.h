#ifndef PORTICO_DATAPLANE_ROUTE_SHARDED_MAP_H_
#define PORTICO_DATAPLANE_ROUTE_SHARDED_MAP_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portico::route {

// What is behind `shared`, to be changed: a copy, if others have it as well. They may read theirs meanwhile.
template <typename Value>
Value& Own(std::shared_ptr<Value>& shared) {
  if (shared == nullptr) {
    shared = std::make_shared<Value>();
  } else if (shared.use_count() > 1) {
    shared = std::make_shared<Value>(*shared);
  }
  return *shared;
}

// A hash map by text whose copies share what they have in common: a copy costs a pointer for some dozens of entries, a
// change of a copy as many pointers besides.
//
//   ShardedMap<int> old = …, next = old;
//   ++next.At("a");  // one new entry in `next`, all others are the same
//
// Small hash tables (open addressing, linear probing, at most half full), of which the low bits of the hash choose one
// and the high bits the slot in it. A look-up computes one hash and, with that of the entry, touches what one in a
// single table would and the place where the small table begins.
//
// Reading by many threads is fine, as is writing to one copy while others are read, as long as the copy that it was
// made of is there.
template <typename Value>
class ShardedMap {
 public:
  static constexpr size_t kShardEntries = 64;  // on average, at most: then there are twice as many shards

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }

  // nullptr: it is not there.
  const Value* Find(std::string_view key) const {
    if (size_ == 0) return nullptr;
    const size_t hash = HashOf(key);
    const Shard& shard = ShardOf(hash);
    if (shard.size == 0) return nullptr;
    const Slot& slot = shard.slots[shard.PlaceOf(key, hash)];
    return slot.entry == nullptr ? nullptr : &slot.entry->value;
  }
  // Is made if it is not there.
  Value& At(std::string_view key) {
    const size_t hash = HashOf(key);
    Shard* shard = &OwnShardOf(hash);
    size_t place = shard->PlaceOf(key, hash);
    if (shard->slots[place].entry == nullptr) {
      if (size_ + 1 > shard_count() * kShardEntries) Split();
      shard = &OwnShardOf(hash);
      place = shard->Add({hash, std::make_shared<Entry>(Entry{std::string(key), Value()})});
      ++size_;
    }
    return Own(shard->slots[place].entry).value;
  }
  void Erase(std::string_view key) {
    if (Find(key) == nullptr) return;
    const size_t hash = HashOf(key);
    Shard& shard = OwnShardOf(hash);
    shard.slots[shard.PlaceOf(key, hash)].entry = nullptr;
    shard.Resize(shard.capacity);  // what stood behind it closes up
    --shard.size;
    --size_;
  }

  // How much of it is not in `other` as well: for tests of what a change costs.
  size_t EntriesNotSharedWith(const ShardedMap& other) const {
    size_t count = 0;
    for (size_t i = 0; i < shard_count(); ++i) {
      const bool is_shared = other.shard_count() == shard_count() && other.shard(i).slots == shard(i).slots;
      if (!is_shared) count += shard(i).size;
    }
    return count;
  }

 private:
  struct Entry {
    std::string key;
    Value value;
  };
  struct Slot {
    size_t hash = 0;
    std::shared_ptr<Entry> entry;  // nullptr: free
  };
  struct Shard {
    std::shared_ptr<Slot[]> slots;
    size_t capacity = 0;  // a power of two
    size_t size = 0;

    // Where it is, or would be.
    size_t PlaceOf(std::string_view key, size_t hash) const {
      size_t place = (hash >> 32) & (capacity - 1);
      while (slots[place].entry != nullptr && (slots[place].hash != hash || slots[place].entry->key != key))
        place = (place + 1) & (capacity - 1);
      return place;
    }
    // Returns where.
    size_t Add(Slot slot) {
      if (++size * 2 > capacity) Resize(capacity * 2);
      const size_t place = PlaceOf(slot.entry->key, slot.hash);
      slots[place] = std::move(slot);
      return place;
    }
    void Resize(size_t new_capacity) {
      const Shard old = std::exchange(*this, {std::make_shared<Slot[]>(new_capacity), new_capacity, size});
      for (size_t i = 0; i < old.capacity; ++i) {
        const Slot& slot = old.slots[i];
        if (slot.entry != nullptr) slots[PlaceOf(slot.entry->key, slot.hash)] = slot;
      }
    }
  };

  static size_t HashOf(std::string_view key) { return std::hash<std::string_view>()(key); }

  size_t shard_count() const { return more_.empty() ? 1 : more_.size(); }
  const Shard& shard(size_t i) const { return more_.empty() ? only_ : more_[i]; }
  const Shard& ShardOf(size_t hash) const { return more_.empty() ? only_ : more_[hash & (more_.size() - 1)]; }
  Shard& OwnShardOf(size_t hash) {
    Shard& shard = more_.empty() ? only_ : more_[hash & (more_.size() - 1)];
    if (shard.slots == nullptr || shard.slots.use_count() > 1) shard.Resize(std::max<size_t>(shard.capacity, 2));
    return shard;
  }

  void Split() {
    const ShardedMap old = std::exchange(*this, {});
    more_.resize(old.shard_count() * 2);
    size_ = old.size_;
    for (size_t i = 0; i < old.shard_count(); ++i) {
      for (size_t j = 0; j < old.shard(i).capacity; ++j) {
        const Slot& slot = old.shard(i).slots[j];
        if (slot.entry != nullptr) OwnShardOf(slot.hash).Add(slot);
      }
    }
  }

  Shard only_;
  std::vector<Shard> more_;  // instead, once there are several: a power of two
  size_t size_ = 0;
};

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_SHARDED_MAP_H_
