#include "dataplane/filters/cors/cors_filter.h"

#include <string_view>

#include "dataplane/http/message.h"
#include "dataplane/route/preflight.h"

namespace portico::cors {
namespace {

using filter::FilterContext;

class CorsFilter final : public filter::Filter {
 public:
  explicit CorsFilter(const CorsConfig& config) : config_(config) {}

  filter::Verdict OnRequestHead(FilterContext& context, filter::Resume /*resume*/) override {
    const http::Fields& fields = context.request.fields;
    size_t origins = 0;
    for (const http::Field& field : fields) {
      if (field.name == "origin" && ++origins == 1) origin_ = field.value;
    }
    if (origins > 1) origin_ = {};  // nobody's
    method_ = route::PreflightMethod(context.request.method, fields);
    if (method_.empty()) return filter::Continue();
    headers_ = fields.Combined("access-control-request-headers").value_or("");
    return filter::Reply{.status = 204, .fields = {}, .content = "", .reason = "cors: a preflight"};
  }

  void OnResponseHead(FilterContext& /*context*/, http::ResponseHead& head) override {
    if (method_.empty()) {
      EditResponseFields(config_, origin_, head.fields);
    } else {
      AddPreflightFields(config_, origin_, method_, headers_, head.fields);
    }
  }

 private:
  const CorsConfig& config_;
  // In the request's arena, as long as the exchange lives.
  std::string_view origin_;   // "": none, or several
  std::string_view method_;   // of a preflight
  std::string_view headers_;  // of a preflight
};

}  // namespace

std::unique_ptr<filter::Filter> CorsFilterConfig::MakeFilter(filter::WorkerSlots& /*slots*/) const {
  return std::make_unique<CorsFilter>(*config_);
}

}  // namespace portico::cors
