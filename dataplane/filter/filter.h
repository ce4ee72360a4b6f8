#ifndef PORTICO_DATAPLANE_FILTER_FILTER_H_
#define PORTICO_DATAPLANE_FILTER_FILTER_H_

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/check.h"
#include "dataplane/base/time.h"
#include "dataplane/filter/identity.h"
#include "dataplane/filter/reply.h"
#include "dataplane/filter/resume.h"
#include "dataplane/filter/worker_slots.h"
#include "dataplane/http/message.h"
#include "dataplane/net/address.h"

namespace portico::filter {

// What filters have done that no response tells, for the access log. The texts live as long as the rule.
struct Notes {
  std::string_view limit;          // "namespace/policy/limit": the last that refused the request, or would have
  std::string_view limit_outcome;  // "limited", "would_limit"; "" none
};

// What a filter sees and may change of its exchange. All of it lives as long as the runner (runner.h) does.
struct FilterContext {
  http::RequestHead& request;  // what goes to the origin: filters edit its fields, and the query in its path
  std::string_view host;       // route::HostOf(authority)
  std::string_view path;       // normal (route::NormalisePath), without query: what policies judge
  Identity& identity;
  base::WallTime now;  // when the filters began: a filter that waits learns the later time from whoever wakes it
  base::MonotonicTime steady_now{};  // the same moment
  net::Address client{};             // whose address is believed
  Notes notes{};
};

// One filter of one exchange: made when the request head is there, gone with the exchange. On the worker's thread.
//
//   OnRequestHead -> Continue: the next filter's turn
//                 -> Reply: no further filter, no origin; the reply is the response
//                 -> Wait: nothing more, until the Resume handle was called with Continue or a Reply
//   OnRequestTrailers: before they go to the origin; only if every filter let the request head pass
//   OnResponseHead: for the final response, replies included, in reverse order; only if OnRequestHead was called
//
// A filter that waits keeps the handle of the call; its destructor cancels the work it waits for.
class Filter {
 public:
  virtual ~Filter() = default;
  virtual Verdict OnRequestHead(FilterContext& context, Resume resume) = 0;
  virtual void OnRequestTrailers(FilterContext& /*context*/, http::Fields& /*trailers*/) {}
  virtual void OnResponseHead(FilterContext& /*context*/, http::ResponseHead& /*head*/) {}
};

// What a rule says of one filter: part of the snapshot, immutable, any thread.
class FilterConfig {
 public:
  virtual ~FilterConfig() = default;
  // `slots` are the worker's. The configuration and the slots outlive the filter.
  virtual std::unique_ptr<Filter> MakeFilter(WorkerSlots& slots) const = 0;
  // Whether a request that goes by another rule, without this, may go around something.
  virtual bool guards() const { return true; }
  // It answers every CORS preflight (route/preflight.h) and lets none pass.
  virtual bool answers_preflights() const { return false; }
};

// The filters of a rule, in their order. Immutable; most rules have an empty one, and an exchange then makes no runner.
class Chain {
 public:
  Chain() = default;
  // None is nullptr.
  explicit Chain(std::vector<std::shared_ptr<const FilterConfig>> configs) : configs_(std::move(configs)) {
    for (const auto& config : configs_) {
      PORTICO_CHECK(config != nullptr);
      answers_preflights_ = answers_preflights_ || config->answers_preflights();
    }
  }

  bool empty() const { return configs_.empty(); }
  const std::vector<std::shared_ptr<const FilterConfig>>& configs() const { return configs_; }
  bool answers_preflights() const { return answers_preflights_; }

 private:
  std::vector<std::shared_ptr<const FilterConfig>> configs_;
  bool answers_preflights_ = false;
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_FILTER_H_
