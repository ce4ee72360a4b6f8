#include "dataplane/upstream/balancer/least_request.h"

#include <algorithm>

namespace portico::upstream::balancer {

void LeastRequest::Lots::Clear() {
  places.clear();
  sums.clear();
}

void LeastRequest::Lots::Add(size_t place, uint32_t weight) {
  sums.push_back(Before(sums.size()) + weight);
  places.push_back(place);
}

size_t LeastRequest::Lots::At(uint64_t point) const {
  return static_cast<size_t>(std::upper_bound(sums.begin(), sums.end(), point) - sums.begin());
}

size_t LeastRequest::Lots::Any(base::Random& random) const {
  return At(random.Below(sums.back()));
}

// The point is drawn from the sum without the first one's share, and moved behind it if it lies there.
size_t LeastRequest::Lots::Other(size_t first, base::Random& random) const {
  const uint64_t share = sums[first] - Before(first);
  const uint64_t point = random.Below(sums.back() - share);
  return At(point < Before(first) ? point : point + share);
}

void LeastRequest::Update(std::span<const uint32_t> weights) {
  weights_.assign(weights.begin(), weights.end());
  all_.Clear();
  for (size_t place = 0; place < weights_.size(); ++place)
    if (weights_[place] > 0) all_.Add(place, weights_[place]);
  some_ = all_;  // its memory, so that no choice allocates
}

}  // namespace portico::upstream::balancer
