#ifndef PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_
#define PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/resolve/resolved.h"
#include "dataplane/route/match.h"
#include "dataplane/route/route_table.h"
#include "dataplane/route/rule.h"

namespace portico::route {

// Messages -> rules, matches and tables: the only place of this folder that knows protobuf. On the main thread, while a
// snapshot is built. Resources have passed api/check: an unknown filter can't be here.
//
//   RegexCache regexes;
//   for (const auto& [key, route] : gateway.routes) {
//     for (const resolve::SharedRule& rule : route->rules) rules.push_back(BuildRule(gateway, *rule));
//     ASSIGN matches = BuildMatches(*route, rules, regexes);
//   }
//   for (uint16_t port : PortsOf(gateway)) RouteTable table(ListenersOf(gateway, port), …);
// or, for who wants no more than a table: BuildRouteTable.

// The bounds of one regular expression. Matching is linear in any case (RE2); these bound what an expression costs
// while it waits: a program of 64 KiB has some 4,000 instructions, which 1,024 bytes of expression reach by repetition.
inline constexpr int64_t kRegexMemoryBytesMax = 1 << 20;

// One expression is compiled once, however many hostnames, rules and tables share it, for as long as one of them does.
// One thread at a time.
class RegexCache {
 public:
  // kInvalidArgument: RE2's words.
  absl::StatusOr<Regex> Compile(const std::string& text);

 private:
  std::map<std::string, std::weak_ptr<const RE2>> compiled_;
  size_t swept_size_ = 0;  // how many were left when those that nobody has were last let go
};

Rule BuildRule(const resolve::ResolvedGateway& gateway, const resolve::ResolvedRule& resolved);

// Beside `route.matches`; `rules` are what was made of `route.rules`, beside them. kInvalidArgument: a regular
// expression that RE2 refuses, named by Route and field.
absl::StatusOr<std::vector<SharedMatch>> BuildMatches(const resolve::ResolvedRoute& route,
                                                      const std::vector<std::shared_ptr<const Rule>>& rules,
                                                      RegexCache& regexes);

// The ports that the gateway listens on, ascending.
std::vector<uint16_t> PortsOf(const resolve::ResolvedGateway& gateway);

// Those on a port, in the gateway's order, without matches.
std::vector<ListenerRoutes> ListenersOf(const resolve::ResolvedGateway& gateway, uint16_t port);

// The table of all listeners on a port. `make_rule` is for who wants to know which rule became which: it is asked for
// each. Errors: as BuildMatches.
using MakeRule = std::function<std::shared_ptr<const Rule>(const resolve::SharedRule& resolved)>;
absl::StatusOr<std::unique_ptr<const RouteTable>> BuildRouteTable(const resolve::ResolvedGateway& gateway,
                                                                  uint16_t port, const MakeRule& make_rule = nullptr);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_ROUTE_CONFIG_H_
