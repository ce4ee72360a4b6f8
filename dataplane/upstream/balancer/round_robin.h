#ifndef PORTICO_DATAPLANE_UPSTREAM_BALANCER_ROUND_ROBIN_H_
#define PORTICO_DATAPLANE_UPSTREAM_BALANCER_ROUND_ROBIN_H_

#include <cstddef>
#include <optional>

namespace portico::upstream::balancer {

// Endpoints of equal weight, each in turn: one look if the next one may be taken. Pure.
class RoundRobin {
 public:
  // `may_take(place)`: false for who is passed over. nullopt: nobody may be taken, and it is the same one's turn.
  template <typename MayTake>
  std::optional<size_t> Choose(size_t count, MayTake may_take) {
    for (size_t i = 0; i < count; ++i) {
      const size_t place = (next_ + i) % count;
      if (!may_take(place)) continue;
      next_ = place + 1;
      return place;
    }
    return std::nullopt;
  }

 private:
  size_t next_ = 0;
};

}  // namespace portico::upstream::balancer

#endif  // PORTICO_DATAPLANE_UPSTREAM_BALANCER_ROUND_ROBIN_H_
