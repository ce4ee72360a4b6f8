// Long: a template, whose code has to be here.
#ifndef PORTICO_API_BASE_SHARED_MAP_H_
#define PORTICO_API_BASE_SHARED_MAP_H_

#include <algorithm>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

namespace portico::base {

// An ordered map whose copies share what they have in common, so that a copy costs nearly nothing and two versions are
// compared by what differs. What holds ten thousand resources and changes one at a time is built of these.
//
//   SharedMap<std::string, int> old = …, next = old;
//   next.Put("a", 1);
//   Compare(old, next, [](const std::string& key, const int* before, const int* after) { … });  // "a" alone
//
// Sorted leaves of pointers to entries that never change (a B-tree of two floors). A copy copies n/64 pointers, a write
// one leaf besides, Find is two binary searches, Compare passes over leaves that are the same. `Value` is compared with
// `==`. Iterators and pointers to entries are good until the next write; an entry lives as long as any map has it.
// Reading by many threads is fine, as is writing to one copy while another is read.
template <typename Key, typename Value, typename Less = std::less<>>
class SharedMap {
 public:
  using Entry = std::pair<const Key, Value>;

  class Iterator;
  using const_iterator = Iterator;

  SharedMap() = default;

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Iterator begin() const { return Iterator(this, 0, 0); }
  Iterator end() const { return Iterator(this, leaves_.size(), 0); }

  // The first that is not less than `key`.
  template <typename Like>
  Iterator lower_bound(const Like& key) const {
    const size_t leaf = LeafOf(key);
    if (leaf == leaves_.size()) return end();
    return Iterator(this, leaf, PlaceOf(*leaves_[leaf], key));
  }
  template <typename Like>
  Iterator find(const Like& key) const {
    const Iterator found = lower_bound(key);
    return found == end() || Less()(key, found->first) ? end() : found;
  }
  template <typename Like>
  bool contains(const Like& key) const {
    return find(key) != end();
  }
  // nullptr: it is not there.
  template <typename Like>
  const Value* Find(const Like& key) const {
    const Iterator found = find(key);
    return found == end() ? nullptr : &found->second;
  }

  // New, or in the place of another value.
  void Put(Key key, Value value);
  // False: it was not there.
  template <typename Like>
  bool Erase(const Like& key);

 private:
  template <typename K, typename V, typename L, typename Visit>
  friend void Compare(const SharedMap<K, V, L>& before, const SharedMap<K, V, L>& after, const Visit& visit);

  static constexpr size_t kLeafMax = 128;

  using Leaf = std::vector<std::shared_ptr<const Entry>>;  // sorted, never empty

  // The first leaf whose last key is not less.
  template <typename Like>
  size_t LeafOf(const Like& key) const {
    const auto found = std::partition_point(leaves_.begin(), leaves_.end(),
                                            [&key](const auto& leaf) { return Less()(leaf->back()->first, key); });
    return static_cast<size_t>(found - leaves_.begin());
  }
  template <typename Like>
  static size_t PlaceOf(const Leaf& leaf, const Like& key) {
    const auto found =
        std::partition_point(leaf.begin(), leaf.end(), [&key](const auto& entry) { return Less()(entry->first, key); });
    return static_cast<size_t>(found - leaf.begin());
  }
  void Split(size_t number, Leaf leaf);

  std::vector<std::shared_ptr<const Leaf>> leaves_;
  size_t size_ = 0;
};

template <typename Key, typename Value, typename Less>
class SharedMap<Key, Value, Less>::Iterator {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = Entry;
  using difference_type = std::ptrdiff_t;
  using pointer = const Entry*;
  using reference = const Entry&;

  Iterator() = default;
  reference operator*() const { return *(*map_->leaves_[leaf_])[place_]; }
  pointer operator->() const { return &**this; }
  Iterator& operator++() {
    if (++place_ == map_->leaves_[leaf_]->size()) {
      ++leaf_;
      place_ = 0;
    }
    return *this;
  }
  Iterator operator++(int) {
    const Iterator old = *this;
    ++*this;
    return old;
  }
  bool operator==(const Iterator& other) const { return leaf_ == other.leaf_ && place_ == other.place_; }

 private:
  friend class SharedMap;
  template <typename K, typename V, typename L, typename Visit>
  friend void Compare(const SharedMap<K, V, L>& before, const SharedMap<K, V, L>& after, const Visit& visit);

  Iterator(const SharedMap* map, size_t leaf, size_t place) : map_(map), leaf_(leaf), place_(place) {
    if (leaf_ < map_->leaves_.size() && place_ == map_->leaves_[leaf_]->size()) {
      ++leaf_;
      place_ = 0;
    }
  }
  bool at_leaf() const { return place_ == 0 && leaf_ < map_->leaves_.size(); }
  const Leaf* leaf() const { return map_->leaves_[leaf_].get(); }
  void SkipLeaf() { ++leaf_; }
  const Entry* entry() const { return (*map_->leaves_[leaf_])[place_].get(); }

  const SharedMap* map_ = nullptr;
  size_t leaf_ = 0;
  size_t place_ = 0;
};

template <typename Key, typename Value, typename Less>
void SharedMap<Key, Value, Less>::Put(Key key, Value value) {
  size_t number = LeafOf(key);
  if (number == leaves_.size() && number > 0) --number;  // behind all others
  Leaf leaf = leaves_.empty() ? Leaf() : *leaves_[number];
  const size_t place = PlaceOf(leaf, key);
  const bool is_new = place == leaf.size() || Less()(key, leaf[place]->first);
  auto entry = std::make_shared<const Entry>(std::move(key), std::move(value));
  if (is_new) {
    leaf.insert(leaf.begin() + static_cast<std::ptrdiff_t>(place), std::move(entry));
    ++size_;
  } else {
    leaf[place] = std::move(entry);
  }
  if (leaves_.empty()) leaves_.emplace_back();
  Split(number, std::move(leaf));
}

// Puts a leaf in its place, as two if it has grown too long. What is filled in order leaves full leaves behind.
template <typename Key, typename Value, typename Less>
void SharedMap<Key, Value, Less>::Split(size_t number, Leaf leaf) {
  if (leaf.size() > kLeafMax) {
    const bool is_last = number + 1 == leaves_.size();
    const auto middle = leaf.begin() + static_cast<std::ptrdiff_t>(is_last ? kLeafMax : leaf.size() / 2);
    auto rest = std::make_shared<const Leaf>(middle, leaf.end());
    leaf.erase(middle, leaf.end());
    leaves_.insert(leaves_.begin() + static_cast<std::ptrdiff_t>(number) + 1, std::move(rest));
  }
  leaves_[number] = std::make_shared<const Leaf>(std::move(leaf));
}

template <typename Key, typename Value, typename Less>
template <typename Like>
bool SharedMap<Key, Value, Less>::Erase(const Like& key) {
  const Iterator found = find(key);
  if (found == end()) return false;
  --size_;
  const auto leaf = leaves_.begin() + static_cast<std::ptrdiff_t>(found.leaf_);
  if ((*leaf)->size() == 1) {
    leaves_.erase(leaf);
    return true;
  }
  Leaf rest = **leaf;
  rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(found.place_));
  const auto next = leaf + 1;
  if (next != leaves_.end() && rest.size() + (*next)->size() <= kLeafMax / 2) {
    rest.insert(rest.end(), (*next)->begin(), (*next)->end());
    leaves_.erase(next);
  }
  *leaf = std::make_shared<const Leaf>(std::move(rest));
  return true;
}

// visit(key, before, after) for each key whose value is not the same in both, in order; nullptr: it is not there.
template <typename Key, typename Value, typename Less, typename Visit>
void Compare(const SharedMap<Key, Value, Less>& before, const SharedMap<Key, Value, Less>& after, const Visit& visit) {
  constexpr const Value* kNone = nullptr;
  auto a = before.begin(), b = after.begin();
  while (a != before.end() && b != after.end()) {
    if (a.at_leaf() && b.at_leaf() && a.leaf() == b.leaf()) {
      a.SkipLeaf();
      b.SkipLeaf();
    } else if (Less()(a->first, b->first)) {
      visit(a->first, &a->second, kNone);
      ++a;
    } else if (Less()(b->first, a->first)) {
      visit(b->first, kNone, &b->second);
      ++b;
    } else {
      if (a.entry() != b.entry() && !(a->second == b->second)) visit(b->first, &a->second, &b->second);
      ++a;
      ++b;
    }
  }
  for (; a != before.end(); ++a)
    visit(a->first, &a->second, kNone);
  for (; b != after.end(); ++b)
    visit(b->first, kNone, &b->second);
}

}  // namespace portico::base

#endif  // PORTICO_API_BASE_SHARED_MAP_H_
