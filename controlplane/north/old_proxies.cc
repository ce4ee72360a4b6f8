#include "controlplane/north/old_proxies.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <map>
#include <string>
#include <utility>

#include "api/base/text.h"
#include "api/wire/names.h"

namespace portico::north {
namespace {

using base::Concat;

// How many proxies of a gateway are connected, by schema level.
using ByLevel = std::map<uint32_t, size_t>;

std::string Words(uint32_t needed, const check::ResourceKey& gateway, const ByLevel& proxies) {
  size_t all = 0, old = 0;
  std::string levels;
  for (const auto& [level, count] : proxies) {
    all += count;
    if (level >= needed) continue;
    old += count;
    levels += Concat(levels.empty() ? "" : ", ", level);
  }
  return Concat("is of schema level ", needed, "; ", old, " of ", all, " connected proxies of ", gateway.ToString(),
                old == 1 ? " is" : " are", " of level ", levels, " and will refuse it: upgrade first");
}

}  // namespace

std::vector<change::Warning> OldProxies(const std::vector<change::Need>& needs,
                                        const std::vector<fleet::SharedProxy>& proxies) {
  std::map<std::string, ByLevel> gateways;
  for (const fleet::SharedProxy& proxy : proxies)
    if (proxy->connected()) ++gateways[proxy->gateway()][proxy->schema_level()];
  std::vector<change::Warning> warnings;
  for (const change::Need& need : needs) {
    const auto gateway = gateways.find(wire::ResourceName(need.gateway));
    if (gateway == gateways.end()) continue;
    const auto first = need.levels.upper_bound(gateway->second.begin()->first);
    if (first == need.levels.end()) continue;
    warnings.push_back({need.key, first->second, Words(first->first, need.gateway, gateway->second)});
  }
  return warnings;
}

void WarnOfOldProxies(fleet::Fleet& fleet, change::Outcome& outcome) {
  if (outcome.needs.empty()) return;
  std::vector<change::Warning> warnings = OldProxies(outcome.needs, fleet.List().proxies);
  std::move(warnings.begin(), warnings.end(), std::back_inserter(outcome.warnings));
}

}  // namespace portico::north
