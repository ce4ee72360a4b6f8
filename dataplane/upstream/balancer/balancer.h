#ifndef PORTICO_DATAPLANE_UPSTREAM_BALANCER_BALANCER_H_
#define PORTICO_DATAPLANE_UPSTREAM_BALANCER_BALANCER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/upstream/balancer/least_request.h"
#include "dataplane/upstream/balancer/round_robin.h"
#include "dataplane/upstream/balancer/smooth_round_robin.h"

namespace portico::upstream::balancer {

enum class Kind : uint8_t { kRoundRobin, kLeastRequest };

// Who is asked next, of endpoints that are known by their place in a list: facts in, a place out. Pure; the cluster
// says who may be taken.
//
//   Balancer balancer;
//   balancer.Update(Kind::kRoundRobin, {5, 1, 1}, {kNew, kNew, kNew});
//   balancer.Choose(may_take, calls_of, random);
class Balancer {
 public:
  static constexpr size_t kNew = SmoothRoundRobin::kNew;

  // One weight for each endpoint, and the place that it had until now, or kNew.
  void Update(Kind kind, std::vector<uint32_t> weights, std::span<const size_t> before);

  // `may_take(place)`: asked of a few, or of all. `calls_of(place)`: calls under way there. Never one of weight 0;
  // nullopt: nobody may be taken.
  template <typename MayTake, typename CallsOf>
  std::optional<size_t> Choose(MayTake may_take, CallsOf calls_of, base::Random& random) {
    switch (way_) {
      case Way::kEqual:
        return equal_.Choose(weights_.size(), may_take);
      case Way::kSmooth:
        return smooth_.Choose(weights_, may_take);
      case Way::kLeast:
        return least_.Choose(may_take, calls_of, random);
    }
    return std::nullopt;
  }

  uint32_t weight(size_t place) const { return weights_[place]; }

 private:
  enum class Way : uint8_t { kEqual, kSmooth, kLeast };

  std::vector<uint32_t> weights_;
  Way way_ = Way::kEqual;
  RoundRobin equal_;
  SmoothRoundRobin smooth_;
  LeastRequest least_;
};

}  // namespace portico::upstream::balancer

#endif  // PORTICO_DATAPLANE_UPSTREAM_BALANCER_BALANCER_H_
