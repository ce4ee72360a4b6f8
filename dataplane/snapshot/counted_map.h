#ifndef PORTICO_DATAPLANE_SNAPSHOT_COUNTED_MAP_H_
#define PORTICO_DATAPLANE_SNAPSHOT_COUNTED_MAP_H_

#include <cstddef>
#include <utility>

#include "api/base/check.h"
#include "api/base/shared_map.h"

namespace portico::snapshot {

// What many have in common, each once, for as long as anybody has it. Its copies share what they have in common.
//
//   const Value& one = map.Take(key, [] { return Value(…); });  // made if nobody had it
//   map.Drop(key);                                              // true: it is gone
template <typename Key, typename Value>
class CountedMap {
 public:
  struct Counted {
    Value value;
    size_t uses = 0;
  };
  using Map = base::SharedMap<Key, Counted>;

  // Good until the next call. `make` must not touch this map.
  template <typename Make>
  const Value& Take(const Key& key, const Make& make) {
    const Counted* known = map_.Find(key);
    map_.Put(key, known == nullptr ? Counted{make(), 1} : Counted{known->value, known->uses + 1});
    return map_.Find(key)->value;
  }
  bool Drop(const Key& key) {
    const Counted* found = map_.Find(key);
    PORTICO_CHECK(found != nullptr, "what is dropped was taken");
    const Counted known = *found;
    if (known.uses == 1) return map_.Erase(key);
    map_.Put(key, {known.value, known.uses - 1});
    return false;
  }
  // Of one that is there.
  void Replace(const Key& key, Value value) { map_.Put(key, {std::move(value), map_.Find(key)->uses}); }

  const Map& map() const { return map_; }

 private:
  Map map_;
};

}  // namespace portico::snapshot

#endif  // PORTICO_DATAPLANE_SNAPSHOT_COUNTED_MAP_H_
