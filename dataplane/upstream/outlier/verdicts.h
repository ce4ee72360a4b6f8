#ifndef PORTICO_DATAPLANE_UPSTREAM_OUTLIER_VERDICTS_H_
#define PORTICO_DATAPLANE_UPSTREAM_OUTLIER_VERDICTS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/shared/keyed.h"
#include "dataplane/shared/mutex.h"
#include "dataplane/shared/streak.h"
#include "dataplane/upstream/outlier/ejection.h"

namespace portico::upstream::outlier {

// What all workers think of one endpoint. To ask it, and to tell it of a success, takes no lock and writes nothing that
// was not written before.
class Verdict {
 public:
  bool Ejected(base::MonotonicTime now) const { return now < until_.value(); }
  base::MonotonicTime until() const { return until_.value(); }
  void Succeeded() { failures_.End(); }

 private:
  friend class Verdicts;
  shared::Streak failures_;
  shared::SharedTime until_;
  EjectionHistory history_;  // under the lock of the Verdicts that it is of
};

// The verdicts of one cluster, on any thread. One is forgotten when nobody holds it any more: when no worker has the
// endpoint. The clocks of workers are one clock, read at different times: what one of them says may come a little late.
class Verdicts {
 public:
  // `address`: "127.0.0.1:9001".
  std::shared_ptr<Verdict> Of(std::string_view address) { return verdicts_.Of(address); }
  // A failure of one of the cluster's `endpoints`. If it is the one that ejects it: how long for. What fails while it
  // is ejected is the same failure. Where the limit of ejected ones is reached it goes on, and its streak begins anew.
  std::optional<base::Duration> Failed(Verdict& verdict, base::MonotonicTime now, const EjectionRules& rules,
                                       size_t endpoints) PORTICO_EXCLUDES(mutex_);

 private:
  shared::Keyed<Verdict> verdicts_;
  shared::Mutex mutex_;  // of every verdict's history, so that two at once do not exceed the limit
};

}  // namespace portico::upstream::outlier

#endif  // PORTICO_DATAPLANE_UPSTREAM_OUTLIER_VERDICTS_H_
