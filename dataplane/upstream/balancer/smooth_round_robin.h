#ifndef PORTICO_DATAPLANE_UPSTREAM_BALANCER_SMOOTH_ROUND_ROBIN_H_
#define PORTICO_DATAPLANE_UPSTREAM_BALANCER_SMOOTH_ROUND_ROBIN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace portico::upstream::balancer {

// Endpoints in turn by their weights, those of a heavy one spread among the others' (nginx's smooth weighted round
// robin): with 5, 1, 1 it is a a b a c a a and not a a a a a b c. Each who may be taken gains its weight, whoever then
// has most is taken and pays what all have gained. A choice looks at every endpoint. Pure.
class SmoothRoundRobin {
 public:
  static constexpr size_t kNew = SIZE_MAX;

  // As many endpoints as there are in `before`: which place each had until now, or kNew. Who stays keeps what it has
  // gained, so that changes that follow fast do not begin with the heaviest each time.
  void Update(std::span<const size_t> before) {
    std::vector<int64_t> gained;
    for (const size_t place : before)
      gained.push_back(place < gained_.size() ? gained_[place] : 0);
    gained_ = std::move(gained);
  }

  // `weights`: one for each; 0: never taken. `may_take(place)`: false for who is passed over, and gains nothing
  // meanwhile. nullopt: nobody may be taken.
  template <typename MayTake>
  std::optional<size_t> Choose(std::span<const uint32_t> weights, MayTake may_take) {
    int64_t total = 0;
    std::optional<size_t> best;
    for (size_t place = 0; place < weights.size(); ++place) {
      if (weights[place] == 0 || !may_take(place)) continue;
      gained_[place] += weights[place];
      total += weights[place];
      if (!best || gained_[place] > gained_[*best]) best = place;
    }
    if (best) gained_[*best] -= total;
    return best;
  }

 private:
  std::vector<int64_t> gained_;
};

}  // namespace portico::upstream::balancer

#endif  // PORTICO_DATAPLANE_UPSTREAM_BALANCER_SMOOTH_ROUND_ROBIN_H_
