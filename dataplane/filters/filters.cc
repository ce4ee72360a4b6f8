#include "dataplane/filters/filters.h"

#include <memory>
#include <utility>
#include <vector>

#include "dataplane/filters/auth/auth_config.h"
#include "dataplane/filters/auth/auth_filter.h"

namespace portico::filters {

BuiltChain BuildChain(const resolve::EffectiveAuth& auth, const check::Configuration& configuration,
                      const resolve::Reach& reach) {
  std::vector<std::shared_ptr<const filter::FilterConfig>> configs;
  std::string fault;
  if (auto config = auth::BuildAuthConfig(auth, configuration, reach)) {
    fault = config->fault;
    configs.push_back(std::make_shared<const auth::AuthFilterConfig>(std::move(config)));
  }
  return {filter::Chain(std::move(configs)), std::move(fault)};
}

}  // namespace portico::filters
