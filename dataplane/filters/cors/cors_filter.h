#ifndef PORTICO_DATAPLANE_FILTERS_CORS_CORS_FILTER_H_
#define PORTICO_DATAPLANE_FILTERS_CORS_CORS_FILTER_H_

#include <memory>
#include <utility>

#include "dataplane/filter/filter.h"
#include "dataplane/filters/cors/cors.h"

namespace portico::cors {

// The first filter of a rule, so that a preflight, which carries no credentials, is answered before anybody is asked
// who they are, and so that pages can read why they were refused. A preflight (route/preflight.h) is answered with 204,
// whatever it may; every other request goes on, and its answer, whoever gives it, has the rule's fields. It never
// waits.
//
// It guards nothing: what a page may not read it may still have done.
class CorsFilterConfig final : public filter::FilterConfig {
 public:
  // Not nullptr.
  explicit CorsFilterConfig(std::shared_ptr<const CorsConfig> config) : config_(std::move(config)) {}

  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots& slots) const override;
  bool guards() const override { return false; }
  bool answers_preflights() const override { return true; }

 private:
  std::shared_ptr<const CorsConfig> config_;
};

}  // namespace portico::cors

#endif  // PORTICO_DATAPLANE_FILTERS_CORS_CORS_FILTER_H_
