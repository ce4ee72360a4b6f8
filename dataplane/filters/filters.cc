#include "dataplane/filters/filters.h"

#include <memory>
#include <utility>
#include <vector>

#include "dataplane/filters/auth/auth_config.h"
#include "dataplane/filters/auth/auth_filter.h"

namespace portico::filters {

BuiltAuth BuildAuth(const resolve::EffectiveAuth& auth, const check::Configuration& configuration,
                    const resolve::Reach& reach) {
  std::shared_ptr<const auth::AuthConfig> config = auth::BuildAuthConfig(auth, configuration, reach);
  if (config == nullptr) return {};
  std::string fault = config->fault;
  return {std::make_shared<const auth::AuthFilterConfig>(std::move(config)), std::move(fault)};
}

BuiltChain BuildChain(const resolve::EffectivePolicies& policies, const BuiltAuth& auth) {
  std::vector<std::shared_ptr<const filter::FilterConfig>> configs;
  BuiltChain out;
  if (auth.config != nullptr) configs.push_back(auth.config);
  if (!auth.fault.empty()) {
    const auto& [authentication, authorization] = policies.auth;
    out.faults.push_back({authentication ? authentication->key : authorization->key, "spec", auth.fault});
  }
  out.chain = filter::Chain(std::move(configs));
  return out;
}

}  // namespace portico::filters
