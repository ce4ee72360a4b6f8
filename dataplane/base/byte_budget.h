#ifndef PORTICO_DATAPLANE_BASE_BYTE_BUDGET_H_
#define PORTICO_DATAPLANE_BASE_BYTE_BUDGET_H_

#include <cstddef>
#include <cstdint>

#include "api/base/check.h"

namespace portico::base {

// How many bytes all of one kind hold together in one worker. A limit for each does not bound a worker, since any
// number of them may wait at once.
//
//   ByteBudget budget(64 << 20);          // the worker's; outlives its shares
//   ByteShare share(&budget);             // one's own
//   if (share.room() >= piece) …  share.Set(all_that_is_held);
//
// The worker's thread only.
class ByteBudget {
 public:
  explicit ByteBudget(size_t bytes_max) : bytes_max_(bytes_max) {}
  ~ByteBudget() { PORTICO_CHECK(bytes_ == 0, "a budget dies under its shares"); }
  ByteBudget(const ByteBudget&) = delete;
  ByteBudget& operator=(const ByteBudget&) = delete;

  size_t bytes() const { return bytes_; }
  size_t room() const { return bytes_ < bytes_max_ ? bytes_max_ - bytes_ : 0; }

 private:
  friend class ByteShare;
  const size_t bytes_max_;
  size_t bytes_ = 0;
};

// What one of them holds; given back when it dies. It counts what is held, allowed or not: memory that is already taken
// can't be refused. So whoever grows asks before the next piece, and the budget is exceeded by a piece.
class ByteShare {
 public:
  explicit ByteShare(ByteBudget* budget) : budget_(budget) {}  // nullptr: no bound
  ~ByteShare() { Set(0); }
  ByteShare(const ByteShare&) = delete;
  ByteShare& operator=(const ByteShare&) = delete;

  void Set(size_t bytes) {
    if (budget_ == nullptr) return;
    budget_->bytes_ += bytes - bytes_;  // unsigned: a smaller share wraps around, and back
    bytes_ = bytes;
  }
  size_t room() const { return budget_ == nullptr ? SIZE_MAX : budget_->room(); }

 private:
  ByteBudget* const budget_;
  size_t bytes_ = 0;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_BYTE_BUDGET_H_
