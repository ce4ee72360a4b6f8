#ifndef PORTICO_CONTROLPLANE_NORTH_COUNTED_CHANGES_H_
#define PORTICO_CONTROLPLANE_NORTH_COUNTED_CHANGES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <variant>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "controlplane/change/changes.h"

namespace portico::north {

// What became of the changes that were asked for since the start.
struct ChangeCounts {
  // The upper bounds of the classes of duration, in microseconds; there is one more, without.
  static constexpr std::array<int64_t, 11> kBoundsMicros = {1'000,   2'500,   5'000,     10'000,    25'000,    50'000,
                                                            100'000, 250'000, 1'000'000, 2'500'000, 10'000'000};

  uint64_t stored = 0;     // each is a revision
  uint64_t unchanged = 0;  // all was so already
  uint64_t tried = 0;      // dry runs that would have gone through
  uint64_t overtaken = 0;  // another change came between (ABORTED)
  uint64_t refused = 0;    // the caller's fault
  uint64_t failed = 0;     // ours: the disk's, mostly
  // How long each took, from its turn to its answer, whatever became of it.
  std::array<uint64_t, kBoundsMicros.size() + 1> durations = {};
  uint64_t duration_micros = 0;  // of all together
};

// Changes, with what becomes of them counted. Any thread.
class CountedChanges {
 public:
  using Result = std::variant<change::Outcome, change::Refusal>;

  // `now`: in microseconds, for durations. `changes` outlives this.
  CountedChanges(change::Changes& changes, change::Changes::Clock now) : changes_(changes), now_(std::move(now)) {}

  Result Apply(const change::Change& change, const change::Caller& caller, const change::Changes::Judge& judge);
  Result Rollback(uint64_t revision, std::string_view name_space, change::Change options, const change::Caller& caller,
                  const change::Changes::Judge& judge);

  ChangeCounts Read() const;

 private:
  Result Count(Result result, bool dry_run, int64_t begun);

  change::Changes& changes_;
  const change::Changes::Clock now_;
  mutable absl::Mutex mutex_;
  ChangeCounts counts_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_COUNTED_CHANGES_H_
