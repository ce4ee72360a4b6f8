#include "controlplane/north/counted_changes.h"

#include <algorithm>
#include <utility>

namespace portico::north {
namespace {

using Result = CountedChanges::Result;

bool ChangesNothing(const change::Outcome& outcome) {
  return std::all_of(outcome.changes.begin(), outcome.changes.end(),
                     [](const model::ResourceChange& change) { return change.kind == model::ChangeKind::kUnchanged; });
}

uint64_t& CountOf(absl::StatusCode code, ChangeCounts& counts) {
  switch (code) {
    case absl::StatusCode::kAborted:
      return counts.overtaken;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kOutOfRange:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return counts.refused;
    default:
      return counts.failed;
  }
}

uint64_t& CountOf(const Result& result, bool dry_run, ChangeCounts& counts) {
  if (const auto* refusal = std::get_if<change::Refusal>(&result)) return CountOf(refusal->status.code(), counts);
  if (dry_run) return counts.tried;
  return ChangesNothing(std::get<change::Outcome>(result)) ? counts.unchanged : counts.stored;
}

}  // namespace

Result CountedChanges::Apply(const change::Change& change, const change::Caller& caller,
                             const change::Changes::Judge& judge) {
  const int64_t begun = now_();
  return Count(changes_.Apply(change, caller, judge), change.dry_run, begun);
}

Result CountedChanges::Rollback(uint64_t revision, std::string_view name_space, change::Change options,
                                const change::Caller& caller, const change::Changes::Judge& judge) {
  const int64_t begun = now_();
  const bool dry_run = options.dry_run;
  return Count(changes_.Rollback(revision, name_space, std::move(options), caller, judge), dry_run, begun);
}

Result CountedChanges::Count(Result result, bool dry_run, int64_t begun) {
  const int64_t took = std::max<int64_t>(0, now_() - begun);  // a clock may be set back
  const auto& bounds = ChangeCounts::kBoundsMicros;
  const auto place = std::lower_bound(bounds.begin(), bounds.end(), took) - bounds.begin();
  absl::MutexLock lock(&mutex_);
  ++CountOf(result, dry_run, counts_);
  ++counts_.durations[static_cast<size_t>(place)];
  counts_.duration_micros += static_cast<uint64_t>(took);
  return result;
}

ChangeCounts CountedChanges::Read() const {
  absl::MutexLock lock(&mutex_);
  return counts_;
}

}  // namespace portico::north
