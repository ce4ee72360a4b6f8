#ifndef PORTICO_DATAPLANE_UPSTREAM_BALANCER_LEAST_REQUEST_H_
#define PORTICO_DATAPLANE_UPSTREAM_BALANCER_LEAST_REQUEST_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "dataplane/base/random.h"

namespace portico::upstream::balancer {

// Of two endpoints drawn at random, by weight, the one with fewer calls under way for its weight (Mitzenmacher, "The
// Power of Two Choices in Randomized Load Balancing", 2001); of equals the first drawn, so that who is idle gets by its
// weight. Two draws and not the minimum of all: workers that each know only their own calls would all run to the same
// one. While everybody may be taken a choice costs two draws in log n. Pure.
class LeastRequest {
 public:
  // One for each endpoint; 0: never taken.
  void Update(std::span<const uint32_t> weights);

  // `may_take(place)`: false for who is passed over. `calls_of(place)`: its calls under way. nullopt: nobody may be
  // taken.
  template <typename MayTake, typename CallsOf>
  std::optional<size_t> Choose(MayTake may_take, CallsOf calls_of, base::Random& random) {
    if (all_.places.empty()) return std::nullopt;
    const size_t first = all_.Any(random);
    if (!may_take(all_.places[first])) return ChooseAmongSome(may_take, calls_of, random, std::nullopt);
    if (all_.places.size() == 1) return all_.places[first];
    const size_t second = all_.Other(first, random);
    if (!may_take(all_.places[second])) return ChooseAmongSome(may_take, calls_of, random, all_.places[first]);
    return LighterOf(all_.places[first], all_.places[second], calls_of);
  }

 private:
  // Endpoints with what their weights sum up to until each.
  struct Lots {
    void Clear();
    void Add(size_t place, uint32_t weight);
    // An index, drawn by weight; there is one. Another one than `first`; there are two.
    size_t Any(base::Random& random) const;
    size_t Other(size_t first, base::Random& random) const;

    size_t At(uint64_t point) const;  // whose share of the sum holds it
    uint64_t Before(size_t index) const { return index == 0 ? 0 : sums[index - 1]; }

    std::vector<size_t> places;
    std::vector<uint64_t> sums;
  };

  template <typename CallsOf>
  size_t LighterOf(size_t first, size_t second, CallsOf calls_of) const {
    const uint64_t left = static_cast<uint64_t>(calls_of(first)) * weights_[second];
    const uint64_t right = static_cast<uint64_t>(calls_of(second)) * weights_[first];
    return right < left ? second : first;
  }

  // Some are passed over: looks at all, and draws from the rest. A `first` that was drawn already stays drawn: to draw
  // it anew because the second may not be taken would favour some.
  template <typename MayTake, typename CallsOf>
  std::optional<size_t> ChooseAmongSome(MayTake may_take, CallsOf calls_of, base::Random& random,
                                        std::optional<size_t> first) {
    some_.Clear();
    size_t drawn = 0;
    for (const size_t place : all_.places) {
      if (!may_take(place)) continue;
      if (first && place == *first) drawn = some_.places.size();
      some_.Add(place, weights_[place]);
    }
    if (some_.places.empty()) return std::nullopt;
    if (!first) drawn = some_.Any(random);
    if (some_.places.size() == 1) return some_.places[drawn];
    return LighterOf(some_.places[drawn], some_.places[some_.Other(drawn, random)], calls_of);
  }

  std::vector<uint32_t> weights_;
  Lots all_;   // whose weight is not 0
  Lots some_;  // kept for its memory
};

}  // namespace portico::upstream::balancer

#endif  // PORTICO_DATAPLANE_UPSTREAM_BALANCER_LEAST_REQUEST_H_
