#ifndef PORTICO_DATAPLANE_FILTER_RESUME_H_
#define PORTICO_DATAPLANE_FILTER_RESUME_H_

#include <cstdint>
#include <memory>
#include <utility>
#include <variant>

#include "dataplane/filter/reply.h"

namespace portico::filter {

struct Continue {};
struct Wait {};
// What a filter says of a request head.
using Verdict = std::variant<Continue, Reply, Wait>;

// Who is resumed: the runner. Filters don't see it.
class Resumable {
 public:
  virtual void Resumed(uint64_t ticket, Verdict verdict) = 0;

 protected:
  ~Resumable() = default;
};

// Ends a Wait. Copies are the same handle; each is safe to keep and to drop at any time: called when the exchange is
// gone, or a second time, or for a filter that did not wait, it does nothing. Called inside OnRequestHead it counts
// once Wait was returned. A wait that nobody ends is ended by the deadline of the exchange. On the worker's thread.
class Resume {
 public:
  Resume(std::weak_ptr<Resumable*> target, uint64_t ticket) : target_(std::move(target)), ticket_(ticket) {}

  // Continue or a Reply. The exchange, with it the filter, may be gone when this returns.
  void operator()(Verdict verdict) const {
    const std::shared_ptr<Resumable*> target = target_.lock();
    if (target != nullptr && *target != nullptr) (*target)->Resumed(ticket_, std::move(verdict));
  }

 private:
  std::weak_ptr<Resumable*> target_;
  uint64_t ticket_;
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_RESUME_H_
