#ifndef PORTICO_DATAPLANE_XDS_RESOURCE_MAP_H_
#define PORTICO_DATAPLANE_XDS_RESOURCE_MAP_H_

#include <cstddef>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include "api/check/configuration.h"
#include "dataplane/xds/read_resource.h"

namespace portico::xds {

// Resources by key, in order. A copy shares all but a vector of one pointer for every few dozen of them, may be read on
// another thread, and never changes with what it was made of: a change makes anew only the few dozen around it. So a
// set of ten thousand is handed out for what a hundredth of it would cost.
class ResourceMap {
 public:
  using value_type = std::pair<const check::ResourceKey, std::shared_ptr<const Received>>;
  class const_iterator;

  static constexpr size_t kPartMax = 64;  // resources in one part; one that grows over it becomes two

  // New, or in the place of the one with this key. Both end every iterator.
  void Put(const check::ResourceKey& key, std::shared_ptr<const Received> received);
  // False: there was none.
  bool Erase(const check::ResourceKey& key);

  size_t size() const { return size_; }
  const_iterator begin() const;
  const_iterator end() const;
  const_iterator find(const check::ResourceKey& key) const;
  // The first that is not before `key`.
  const_iterator lower_bound(const check::ResourceKey& key) const;

 private:
  using Part = std::vector<std::shared_ptr<const value_type>>;  // in order, never empty
  using Parts = std::vector<std::shared_ptr<const Part>>;       // in order

  // The part that has the key or would have it; there is one.
  size_t PartOf(const check::ResourceKey& key) const;
  static Part::const_iterator PlaceIn(const Part& part, const check::ResourceKey& key);

  Parts parts_;
  size_t size_ = 0;
};

class ResourceMap::const_iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = ResourceMap::value_type;
  using difference_type = std::ptrdiff_t;
  using pointer = const value_type*;
  using reference = const value_type&;

  const_iterator() = default;
  reference operator*() const { return *(*(*parts_)[part_])[place_]; }
  pointer operator->() const { return &**this; }
  const_iterator& operator++() {
    if (++place_ == (*parts_)[part_]->size()) {
      ++part_;
      place_ = 0;
    }
    return *this;
  }
  const_iterator operator++(int) {
    const_iterator before = *this;
    ++*this;
    return before;
  }
  bool operator==(const const_iterator&) const = default;

 private:
  friend class ResourceMap;
  const_iterator(const Parts& parts, size_t part, size_t place) : parts_(&parts), part_(part), place_(place) {}

  const Parts* parts_ = nullptr;
  size_t part_ = 0;
  size_t place_ = 0;
};

}  // namespace portico::xds

#endif  // PORTICO_DATAPLANE_XDS_RESOURCE_MAP_H_
