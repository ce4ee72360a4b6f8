#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_OBSERVER_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_OBSERVER_H_

#include <cstdint>
#include <string_view>

#include "dataplane/base/time.h"

namespace portico::upstream {

// What became of an attempt: the metric's label. This is the whole list, so the number of series is bounded.
namespace outcome {
inline constexpr std::string_view kSuccess = "success";                 // a whole response, its status below 500
inline constexpr std::string_view kServerError = "server_error";        // a whole response, its status 500 or more
inline constexpr std::string_view kConnectFailure = "connect_failure";  // refused, no TLS, not connected in time
inline constexpr std::string_view kTimeout = "timeout";               // no answer, no progress or no connection in time
inline constexpr std::string_view kReset = "reset";                   // ended before the response was whole
inline constexpr std::string_view kProtocolError = "protocol_error";  // malformed, or over a limit
inline constexpr std::string_view kCancelled = "cancelled";           // the caller left, or let the origin wait
inline constexpr std::string_view kLimit = "limit";                   // a limit of the cluster: nothing was sent
inline constexpr std::string_view kNoEndpoint = "no_endpoint";        // there is nobody to ask: nothing was sent
}  // namespace outcome

// What became of a retry, or why none was made: a metric's label, and the whole list as well.
namespace retry_outcome {
inline constexpr std::string_view kSuccess = "success";           // its answer went to the caller
inline constexpr std::string_view kFailure = "failure";           // it failed as well
inline constexpr std::string_view kCancelled = "cancelled";       // the caller left
inline constexpr std::string_view kOverBudget = "over_budget";    // none: retryConstraint
inline constexpr std::string_view kOverContent = "over_content";  // none: the content was more than is kept
inline constexpr std::string_view kRetryAfter = "retry_after";    // none: the answer asks for a longer pause
inline constexpr std::string_view kDeadline = "deadline";         // none: the exchange ends before it would begin
}  // namespace retry_outcome

// Hears what a cluster of one worker does; the worker makes metrics of it. Outlives the cluster and does nothing to it.
class ClusterObserver {
 public:
  virtual ~ClusterObserver() = default;
  // Once for each attempt that is over (with its answer's head, if it is made again for that), and for each call for
  // which none could begin. `outcome`: one of the above.
  virtual void OnAttempt(std::string_view cluster, std::string_view outcome) = 0;
  // Once for each retry that is over, and for each that was not made for another reason than the number of attempts.
  // `outcome`: a retry_outcome.
  virtual void OnRetry(std::string_view cluster, std::string_view outcome) = 0;
  // Of the connections that stand: +1 or -1. They sum up to 0 when the cluster is gone.
  virtual void OnConnections(std::string_view cluster, int64_t change) = 0;
  // An endpoint ("127.0.0.1:9001") that nobody asks for so long, in any worker.
  virtual void OnEjected(std::string_view cluster, std::string_view endpoint, base::Duration time) = 0;
  // Once for each OnEjected, by the same worker. `serves`: it is asked again; false: it is gone before that, or the
  // cluster ejects no more.
  virtual void OnEjectionOver(std::string_view cluster, std::string_view endpoint, bool serves) = 0;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_OBSERVER_H_
