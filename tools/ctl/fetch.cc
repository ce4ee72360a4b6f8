#include "tools/ctl/fetch.h"

#include <utility>

#include "api/resolve/resolve.h"

namespace portico::ctl {

absl::StatusOr<Fetched> Fetch(ApiClient& client, const portico::v1::ListRequest& request) {
  Answer<portico::v1::ListResponse> answer = client.List(request);
  if (!answer.ok()) return answer.status;
  Fetched fetched;
  fetched.revision = answer.response.revision();
  fetched.epoch = answer.response.epoch();
  fetched.partial = answer.response.partial();
  for (portico::v1::Resource& resource : *answer.response.mutable_resources())
    fetched.configuration.Put(std::move(resource));
  return fetched;
}

void WarnOfPart(const Call& call, bool partial) {
  if (partial) call.console.error << "warning: there are namespaces that you may not read; this is about the others\n";
}

std::vector<resolve::ResolvedGateway> ResolveAll(const check::Configuration& configuration) {
  std::vector<resolve::ResolvedGateway> gateways;
  for (const auto& [key, resource] : configuration.resources()) {
    if (!resource->has_gateway()) continue;
    absl::StatusOr<resolve::ResolvedGateway> gateway = resolve::Resolve(configuration, key);
    if (gateway.ok()) gateways.push_back(*std::move(gateway));  // only an unknown gateway is an error there
  }
  return gateways;
}

}  // namespace portico::ctl
