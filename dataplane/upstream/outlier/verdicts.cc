#include "dataplane/upstream/outlier/verdicts.h"

namespace portico::upstream::outlier {

std::optional<base::Duration> Verdicts::Failed(Verdict& verdict, base::MonotonicTime now, const EjectionRules& rules,
                                               size_t endpoints) {
  if (verdict.Ejected(now) || !verdict.failures_.Fail(rules.consecutive_failures)) return std::nullopt;
  shared::MutexLock lock(mutex_);
  if (verdict.history_.Ejected(now)) return std::nullopt;  // another worker was faster
  const size_t ejected = verdicts_.Count([now](const Verdict& one) { return one.Ejected(now); });
  if (ejected >= EjectedMax(endpoints, rules.max_ejected_percent)) return std::nullopt;
  const base::Duration time = verdict.history_.Eject(now, rules);
  verdict.until_.Set(verdict.history_.until());
  return time;
}

}  // namespace portico::upstream::outlier
