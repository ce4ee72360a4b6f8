#ifndef PORTICO_DATAPLANE_SHARED_TOKEN_BUCKET_H_
#define PORTICO_DATAPLANE_SHARED_TOKEN_BUCKET_H_

#include <cstdint>

namespace portico::shared {

// A bucket of tokens as the generic cell rate algorithm keeps it (ITU-T I.371): not how many tokens there are, which
// would have to be filled in, but when all of them will be there again. One number, no timer, no rounding that adds up.
// Pure; nanoseconds of any clock. Those who share a bucket may each be a little behind the others.

// One token comes each `interval_ns`, and the bucket holds `burst` of them.
struct Rate {
  int64_t interval_ns = 1;
  int64_t burst = 1;
  bool operator==(const Rate&) const = default;
};

// `requests` in `per_ns`. The interval is rounded up to a nanosecond: never more than what is said. `requests` and
// `burst` are 1 to 1000000, `per_ns` is at most an hour: a full bucket's time then fits in 63 bits.
Rate RateOf(int64_t requests, int64_t per_ns, int64_t burst);

// All zero is a full one.
struct Bucket {
  int64_t full_at_ns = 0;
  int64_t interval_ns = 0;  // of the rate that it was last used with

  bool IsFull(int64_t now_ns) const { return full_at_ns <= now_ns; }
};

struct Taken {
  bool token = false;     // false: there was none, and nothing has changed
  int64_t wait_ns = 0;    // until there is one; 0 if there is
  int64_t remaining = 0;  // whole tokens that are left
  int64_t full_ns = 0;    // until it is full
};

// With another rate than the last time, the tokens that are missing stay missing, as many as the new bucket holds.
Taken TakeToken(Bucket& bucket, const Rate& rate, int64_t now_ns);
// Undoes a take with the same rate.
void GiveBackToken(Bucket& bucket, const Rate& rate, int64_t now_ns);

}  // namespace portico::shared

#endif  // PORTICO_DATAPLANE_SHARED_TOKEN_BUCKET_H_
