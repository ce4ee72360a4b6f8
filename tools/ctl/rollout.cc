#include "tools/ctl/rollout.h"

#include <algorithm>

#include "api/base/text.h"

namespace portico::ctl {

using portico::v1::Proxy;

ProxyState StateOf(const Proxy& proxy, uint64_t revision, const std::string& epoch) {
  const uint64_t target = std::min(revision, proxy.wanted_revision());
  if (proxy.epoch() != epoch) return ProxyState::kLate;
  if (proxy.refused_revision() != 0 && proxy.refused_revision() >= target &&
      proxy.refused_revision() > proxy.running_revision()) {
    return ProxyState::kRefused;
  }
  if (proxy.running_revision() < target) return ProxyState::kLate;
  return proxy.refusals().empty() ? ProxyState::kRuns : ProxyState::kRefused;
}

std::string StateText(const Proxy& proxy) {
  if (!proxy.connected()) return "gone";
  switch (StateOf(proxy, proxy.wanted_revision(), proxy.epoch())) {
    case ProxyState::kRuns:
      return "good";
    case ProxyState::kRefused:
      return "refused";
    case ProxyState::kLate:
      return "behind";
  }
  return "";
}

std::vector<std::string> RefusalLines(const Proxy& proxy) {
  std::vector<std::string> lines;
  const std::string who = base::Concat(proxy.node_id(), " (", proxy.gateway(), ") refused ");
  if (proxy.refused_revision() != 0) {
    lines.push_back(base::Concat(who, "revision ", proxy.refused_revision(), ": ", proxy.refused_reason()));
  }
  for (const portico::v1::Refusal& refusal : proxy.refusals())
    lines.push_back(base::Concat(who, refusal.resource(), ": ", refusal.reason()));
  for (std::string& line : lines)
    line = base::Printable(line);  // a proxy's own words
  return lines;
}

void Rollout::OnProxies(const portico::v1::ListProxiesResponse& response) {
  for (const Proxy& proxy : response.proxies())
    proxies_[base::Concat(proxy.node_id(), "/", proxy.instance())] = proxy;
  for (const std::string& gone : response.gone())
    proxies_.erase(gone);
  told_ = told_ || response.revision() >= revision_;
}

size_t Rollout::connected() const {
  return static_cast<size_t>(
      std::count_if(proxies_.begin(), proxies_.end(), [](const auto& each) { return each.second.connected(); }));
}

size_t Rollout::Count(ProxyState state) const {
  return static_cast<size_t>(std::count_if(proxies_.begin(), proxies_.end(), [&](const auto& each) {
    return each.second.connected() && StateOf(each.second, revision_, epoch_) == state;
  }));
}

std::vector<std::string> Rollout::Lines() const {
  std::vector<std::string> lines;
  for (const auto& [key, proxy] : proxies_) {
    if (!proxy.connected()) continue;
    const ProxyState state = StateOf(proxy, revision_, epoch_);
    if (state == ProxyState::kRefused) {
      for (std::string& line : RefusalLines(proxy))
        lines.push_back(std::move(line));
    } else if (state == ProxyState::kLate) {
      lines.push_back(base::Concat(proxy.node_id(), " (", proxy.gateway(), ") is late: it runs revision ",
                                   proxy.running_revision()));
    }
  }
  return lines;
}

}  // namespace portico::ctl
