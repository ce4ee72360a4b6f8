#ifndef PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_
#define PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "api/resolve/resolved.h"
#include "dataplane/route/route_table.h"
#include "dataplane/route/rule.h"

namespace portico::route {

// Messages -> rules and tables: the only place of this folder that knows protobuf. On the main thread, while a snapshot
// is built.
//
//   std::vector<std::shared_ptr<const Rule>> rules;
//   for (size_t id = 0; id < gateway.rules.size(); ++id) rules.push_back(BuildRule(gateway, id));
//   for (uint16_t port : PortsOf(gateway)) tables[port] = BuildRouteTable(gateway, port, rules);

// The bounds of one regular expression. Matching is linear in any case (RE2); these bound what an expression costs
// while it waits: a program of 64 KiB has some 4,000 instructions, which 1,024 bytes of expression reach by repetition.
inline constexpr int64_t kRegexMemoryBytesMax = 1 << 20;

// `id` is the place in gateway.rules. Resources have passed api/check: an unknown filter can't be here.
std::shared_ptr<const Rule> BuildRule(const resolve::ResolvedGateway& gateway, size_t id);

// The ports that the gateway listens on, ascending.
std::vector<uint16_t> PortsOf(const resolve::ResolvedGateway& gateway);

// The table of all listeners on a port. `rules` are those of BuildRule, by id. kInvalidArgument: a regular expression
// that RE2 refuses, named by Route and field.
absl::StatusOr<std::unique_ptr<const RouteTable>> BuildRouteTable(
    const resolve::ResolvedGateway& gateway, uint16_t port, const std::vector<std::shared_ptr<const Rule>>& rules);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_
