#include "dataplane/filters/filters.h"

#include <memory>
#include <utility>
#include <vector>

#include "dataplane/filters/auth/auth_config.h"
#include "dataplane/filters/auth/auth_filter.h"
#include "dataplane/filters/cors/cors_config.h"
#include "dataplane/filters/cors/cors_filter.h"
#include "dataplane/filters/rate_limit/rate_limit_filter.h"

namespace portico::filters {

BuiltAuth BuildAuth(const resolve::EffectiveAuth& auth, const check::Configuration& configuration,
                    const resolve::Reach& reach) {
  std::shared_ptr<const auth::AuthConfig> config = auth::BuildAuthConfig(auth, configuration, reach);
  if (config == nullptr) return {};
  std::string fault = config->fault;
  return {std::make_shared<const auth::AuthFilterConfig>(std::move(config)), std::move(fault)};
}

BuiltChain BuildChain(const resolve::EffectivePolicies& policies, const BuiltAuth& auth, const SharedState& state) {
  std::vector<std::shared_ptr<const filter::FilterConfig>> configs;
  rate_limit::BuiltLimits limits = rate_limit::BuildRateLimits(policies.limits, state.rate_limits);
  BuiltChain out{{}, std::move(limits.faults)};
  const auto add_limits = [&configs](std::shared_ptr<const rate_limit::RateLimitConfig> config) {
    if (config == nullptr) return;
    configs.push_back(std::make_shared<const rate_limit::RateLimitFilterConfig>(std::move(config)));
  };
  add_limits(std::move(limits.before_identity));
  if (auth.config != nullptr) configs.push_back(auth.config);
  if (!auth.fault.empty()) {
    const auto& [authentication, authorization] = policies.auth;
    out.faults.push_back({authentication ? authentication->key : authorization->key, "spec", auth.fault});
  }
  add_limits(std::move(limits.by_identity));
  out.chain = filter::Chain(std::move(configs));
  return out;
}

filter::Chain ChainOf(const v1::RouteRule& rule, filter::Chain of_policies) {
  std::vector<std::shared_ptr<const filter::FilterConfig>> configs;
  for (const v1::RouteFilter& filter : rule.filters()) {
    if (!filter.has_cors()) continue;
    configs.push_back(std::make_shared<const cors::CorsFilterConfig>(cors::BuildCorsConfig(filter.cors())));
  }
  if (configs.empty()) return of_policies;
  // A preflight is answered before limits count it and before anybody is asked who they are.
  configs.insert(configs.end(), of_policies.configs().begin(), of_policies.configs().end());
  return filter::Chain(std::move(configs));
}

std::vector<std::string> SecretParameters(const check::Configuration& configuration, const resolve::Reach& reach) {
  return auth::KeyParameters(configuration, reach);
}

}  // namespace portico::filters
