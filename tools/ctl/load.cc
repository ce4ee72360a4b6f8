#include "tools/ctl/load.h"

#include <memory>
#include <set>

#include "api/base/text.h"
#include "api/resolve/resolve.h"
#include "dataplane/route/route_config.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;

// What the proxy would do with it, as far as it can fail.
void BuildTables(const resolve::ResolvedGateway& gateway, load::Loaded& out) {
  for (const uint16_t port : route::PortsOf(gateway)) {
    const auto table = route::BuildRouteTable(gateway, port);
    if (!table.ok()) out.Add(true, gateway.key, "", std::string(base::ToStd(table.status().message())));
  }
}

void ResolveGateways(load::Loaded& out) {
  std::set<resolve::Notice> notices;
  std::set<ResourceKey> reached;
  for (const auto& [key, resource] : out.configuration.resources()) {
    if (!resource->has_gateway()) continue;
    const absl::StatusOr<resolve::ResolvedGateway> gateway = resolve::Resolve(out.configuration, key);
    if (!gateway.ok()) continue;  // only an unknown gateway is an error there
    for (const auto& [notice, none] : gateway->notices)
      notices.insert(notice);
    for (const auto& [reached_key, why] : gateway->reach)
      reached.insert(reached_key);
    BuildTables(*gateway, out);
  }
  for (const resolve::Notice& notice : notices) {
    out.Add(false, notice.resource, notice.path, notice.message);
    reached.insert(notice.resource);
  }
  for (const auto& [key, resource] : out.configuration.resources()) {
    if (resource->has_route() && !reached.contains(key)) {
      out.Add(false, key, "spec.parentRefs", "attaches to no Gateway of this configuration");
    }
  }
}

}  // namespace

load::Loaded LoadAndResolve(const std::vector<std::string>& paths, yaml::FileReader& files,
                            const check::KeyPairChecker& key_pairs) {
  load::Loaded out = load::Load(paths, files, key_pairs);
  if (out.errors() == 0) ResolveGateways(out);
  return out;
}

}  // namespace portico::ctl
