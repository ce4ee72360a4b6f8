#include "dataplane/xds/resource_map.h"

#include <algorithm>

namespace portico::xds {

using check::ResourceKey;

size_t ResourceMap::PartOf(const ResourceKey& key) const {
  const auto after = std::upper_bound(parts_.begin(), parts_.end(), key,
                                      [](const ResourceKey& k, const auto& part) { return k < part->front()->first; });
  return after == parts_.begin() ? 0 : static_cast<size_t>(after - parts_.begin()) - 1;
}

ResourceMap::Part::const_iterator ResourceMap::PlaceIn(const Part& part, const ResourceKey& key) {
  return std::lower_bound(part.begin(), part.end(), key,
                          [](const auto& one, const ResourceKey& k) { return one->first < k; });
}

void ResourceMap::Put(const ResourceKey& key, std::shared_ptr<const Received> received) {
  auto value = std::make_shared<const value_type>(key, std::move(received));
  if (parts_.empty()) {
    parts_.push_back(std::make_shared<const Part>(Part{std::move(value)}));
    size_ = 1;
    return;
  }
  const size_t number = PartOf(key);
  Part part = *parts_[number];
  const auto place = part.begin() + (PlaceIn(part, key) - part.cbegin());
  if (place != part.end() && (*place)->first == key) {
    *place = std::move(value);
  } else {
    part.insert(place, std::move(value));
    ++size_;
  }
  if (part.size() > kPartMax) {
    const auto middle = part.begin() + kPartMax / 2;
    const auto next = parts_.begin() + static_cast<std::ptrdiff_t>(number) + 1;
    parts_.insert(next, std::make_shared<const Part>(middle, part.end()));
    part.erase(middle, part.end());
  }
  parts_[number] = std::make_shared<const Part>(std::move(part));
}

bool ResourceMap::Erase(const ResourceKey& key) {
  if (find(key) == end()) return false;
  const size_t number = PartOf(key);
  Part part = *parts_[number];
  part.erase(PlaceIn(part, key));
  if (part.empty()) {
    parts_.erase(parts_.begin() + static_cast<std::ptrdiff_t>(number));
  } else {
    parts_[number] = std::make_shared<const Part>(std::move(part));
  }
  --size_;
  return true;
}

ResourceMap::const_iterator ResourceMap::begin() const {
  return {parts_, 0, 0};
}

ResourceMap::const_iterator ResourceMap::end() const {
  return {parts_, parts_.size(), 0};
}

ResourceMap::const_iterator ResourceMap::lower_bound(const ResourceKey& key) const {
  if (parts_.empty()) return end();
  const size_t number = PartOf(key);
  const Part& part = *parts_[number];
  const auto place = PlaceIn(part, key);
  if (place == part.end()) return {parts_, number + 1, 0};
  return {parts_, number, static_cast<size_t>(place - part.begin())};
}

ResourceMap::const_iterator ResourceMap::find(const ResourceKey& key) const {
  const const_iterator place = lower_bound(key);
  return place != end() && place->first == key ? place : end();
}

}  // namespace portico::xds
