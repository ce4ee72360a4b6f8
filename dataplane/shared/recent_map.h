#ifndef PORTICO_DATAPLANE_SHARED_RECENT_MAP_H_
#define PORTICO_DATAPLANE_SHARED_RECENT_MAP_H_

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace portico::shared {

// Immutable values by key, in the order of their last use. One thread at a time: StripedStore has a lock for each.
// Every key comes with its hash of 64 bits, which nobody outside can foresee; of two keys of one hash, which never
// happens, the latter takes the place.
template <typename Value>
class RecentMap {
 public:
  using Shared = std::shared_ptr<const Value>;
  struct Entry {
    std::string key;
    uint64_t hash;
    Shared value;
  };
  using List = std::list<Entry>;
  static constexpr size_t kPassedMax = 8;  // of what is in use, by one walk

  size_t size() const { return used_.size(); }

  // nullptr: there is none.
  const Shared* Find(uint64_t hash, std::string_view key) const {
    const auto found = entries_.find(hash);
    return found != entries_.end() && found->second->key == key ? &found->second->value : nullptr;
  }
  // It was found: its last use is now.
  void Use(uint64_t hash) { used_.splice(used_.begin(), used_, entries_.at(hash)); }

  void Put(uint64_t hash, std::string_view key, Shared value, List& dead) {
    Remove(hash, dead);
    used_.push_front({std::string(key), hash, std::move(value)});
    entries_.emplace(hash, used_.begin());
  }
  // Into `dead`, to die where the caller likes.
  void Remove(uint64_t hash, List& dead) {
    const auto found = entries_.find(hash);
    if (found == entries_.end()) return;
    dead.splice(dead.begin(), used_, found->second);
    entries_.erase(found);
  }

  void Clear(List& dead) {
    dead.splice(dead.begin(), used_);
    entries_.clear();
  }

  // Of what was used the longest ago the first that has a weight goes into `dead`; the weight, 0: nothing. What has
  // none is in use: that is a use, so that the next walk begins behind it.
  template <typename Weigh>
  size_t Evict(Weigh weigh, List& dead) {
    for (size_t passed = 0; passed < kPassedMax && !used_.empty(); ++passed) {
      const auto oldest = std::prev(used_.end());
      const size_t weight = weigh(oldest->value);
      if (weight > 0) {
        Remove(oldest->hash, dead);
        return weight;
      }
      used_.splice(used_.begin(), used_, oldest);
    }
    return 0;
  }
  // What evictions would bring, as far as it is `wanted`.
  template <typename Weigh>
  size_t Evictable(size_t wanted, Weigh weigh) {
    size_t all = 0, passed = 0;
    for (auto entry = used_.end(); entry != used_.begin() && passed < kPassedMax && all < wanted;) {
      --entry;
      const size_t weight = weigh(entry->value);
      all += weight;
      if (weight > 0) continue;
      ++passed;
      used_.splice(used_.begin(), used_, entry++);
    }
    return all;
  }

  std::vector<std::string> Keys() const {
    std::vector<std::string> keys;
    for (const Entry& entry : used_)
      keys.push_back(entry.key);
    return keys;
  }

 private:
  List used_;                                                      // the latest first
  std::unordered_map<uint64_t, typename List::iterator> entries_;  // by hash
};

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_RECENT_MAP_H_
