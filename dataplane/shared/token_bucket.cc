#include "dataplane/shared/token_bucket.h"

#include <algorithm>

namespace portico::shared {
namespace {

// The time that refills what is missing, at this rate.
int64_t MissingTime(const Bucket& bucket, const Rate& rate, int64_t now_ns) {
  int64_t missing_ns = std::max<int64_t>(bucket.full_at_ns - now_ns, 0);
  if (missing_ns > 0 && bucket.interval_ns != rate.interval_ns) {
    __extension__ using Wide = __int128;
    const Wide scaled = Wide{missing_ns} * rate.interval_ns / bucket.interval_ns;
    missing_ns = static_cast<int64_t>(std::min<Wide>(scaled, rate.burst * rate.interval_ns));
  }
  return std::min(missing_ns, rate.burst * rate.interval_ns);
}

}  // namespace

Rate RateOf(int64_t requests, int64_t per_ns, int64_t burst) {
  return {(per_ns + requests - 1) / requests, burst};
}

Taken TakeToken(Bucket& bucket, const Rate& rate, int64_t now_ns) {
  const int64_t whole_ns = rate.burst * rate.interval_ns;
  int64_t missing_ns = MissingTime(bucket, rate, now_ns);
  const int64_t wait_ns = missing_ns - (whole_ns - rate.interval_ns);
  if (wait_ns <= 0) missing_ns += rate.interval_ns;
  // Who is refused writes nothing: a clock that is behind would give back what one that is ahead has taken.
  if (wait_ns <= 0 || bucket.interval_ns != rate.interval_ns) bucket = {now_ns + missing_ns, rate.interval_ns};
  return {wait_ns <= 0, std::max<int64_t>(wait_ns, 0), (whole_ns - missing_ns) / rate.interval_ns, missing_ns};
}

void GiveBackToken(Bucket& bucket, const Rate& rate, int64_t now_ns) {
  if (bucket.interval_ns == rate.interval_ns) {
    bucket.full_at_ns -= rate.interval_ns;
    return;
  }
  bucket = {now_ns + std::max<int64_t>(MissingTime(bucket, rate, now_ns) - rate.interval_ns, 0), rate.interval_ns};
}

}  // namespace portico::shared
