#include "dataplane/upstream/balancer/balancer.h"

#include <algorithm>
#include <utility>

namespace portico::upstream::balancer {

void Balancer::Update(Kind kind, std::vector<uint32_t> weights, std::span<const size_t> before) {
  weights_ = std::move(weights);
  smooth_.Update(before);
  if (kind == Kind::kLeastRequest) {
    way_ = Way::kLeast;
    return least_.Update(weights_);
  }
  const bool equal = std::all_of(weights_.begin(), weights_.end(),
                                 [this](uint32_t weight) { return weight > 0 && weight == weights_.front(); });
  way_ = equal ? Way::kEqual : Way::kSmooth;
}

}  // namespace portico::upstream::balancer
