#include "dataplane/filters/auth/consumers_config.h"

#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "api/base/text.h"

namespace portico::auth {
namespace {

using check::ResourceKey;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(pieces...)));
}

absl::Status AddConsumer(const ResourceKey& key, const check::Configuration& configuration,
                         std::vector<Consumer>& consumers) {
  const v1::Resource* resource = configuration.Find(key);
  if (resource == nullptr || !resource->has_consumer()) return Fault(key.ToString(), " is missing");
  const v1::ConsumerSpec& spec = resource->consumer().spec();
  Consumer out{{key.name_space, key.name}, {spec.groups().begin(), spec.groups().end()}, {}};
  for (const v1::Credential& credential : spec.credentials()) {
    if (!credential.has_jwt() || credential.has_api_key() || credential.jwt().claims().empty()) {
      return Fault(key.ToString(), " has a credential that is not supported");
    }
    const v1::JwtCredential& jwt = credential.jwt();
    out.credentials.push_back({jwt.issuer(), {jwt.claims().begin(), jwt.claims().end()}});
  }
  consumers.push_back(std::move(out));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Consumers> BuildConsumers(const std::string& name_space, const Authorization* authorization,
                                         const check::Configuration& configuration, const resolve::Reach& reach) {
  std::set<ResourceKey> foreign;
  for (const AuthorizationRule& rule : authorization ? authorization->rules : std::vector<AuthorizationRule>()) {
    for (const filter::ConsumerName& name : rule.principal.consumers) {
      if (name.name_space != name_space) foreign.insert({"Consumer", name.name_space, name.name});
    }
  }
  std::vector<Consumer> consumers;
  for (const auto& [key, reached] : reach) {
    if (key.kind != "Consumer" || key.name_space != name_space) continue;
    if (absl::Status status = AddConsumer(key, configuration, consumers); !status.ok()) return status;
  }
  for (const ResourceKey& key : foreign) {
    if (!reach.contains(key)) continue;  // a name that nobody has: the rule agrees with nobody by it
    if (absl::Status status = AddConsumer(key, configuration, consumers); !status.ok()) return status;
  }
  return Consumers(std::move(consumers));
}

}  // namespace portico::auth
