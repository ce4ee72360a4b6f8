#ifndef PORTICO_TOOLS_CTL_ROLLOUT_H_
#define PORTICO_TOOLS_CTL_ROLLOUT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "api/portico/v1/fleet_service.pb.h"

namespace portico::ctl {

// Whether a connected proxy runs what it is to run of a revision.
enum class ProxyState { kRuns, kRefused, kLate };
// Of the newest revision that its gateway wants up to `revision`: a gateway that a change does not touch gets no mark.
ProxyState StateOf(const portico::v1::Proxy& proxy, uint64_t revision, const std::string& epoch);

// "good", "refused", "behind" (of all that it is to run) or, if it is not connected, "gone".
std::string StateText(const portico::v1::Proxy& proxy);

// What it refused and why, a line each: "edge-1 (default/g) refused Route default/shop: …".
std::vector<std::string> RefusalLines(const portico::v1::Proxy& proxy);

// Follows the proxies until all that are connected run a revision.
//
//   Rollout rollout(42, epoch);
//   client.WatchProxies(…, [&](const auto& response) { rollout.OnProxies(response); return !rollout.ended(); });
class Rollout {
 public:
  Rollout(uint64_t revision, std::string epoch) : revision_(revision), epoch_(std::move(epoch)) {}

  void OnProxies(const portico::v1::ListProxiesResponse& response);

  // The control plane has told of all proxies, and none of them is late.
  bool ended() const { return told_ && Count(ProxyState::kLate) == 0; }
  // Some are connected, and all run it.
  bool good() const { return ended() && connected() > 0 && Count(ProxyState::kRuns) == connected(); }
  size_t connected() const;
  size_t Count(ProxyState state) const;
  // Who refused, and who is late.
  std::vector<std::string> Lines() const;

 private:
  const uint64_t revision_;
  const std::string epoch_;
  bool told_ = false;
  std::map<std::string, portico::v1::Proxy> proxies_;  // by node_id and instance, as `gone` names them
};

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_ROLLOUT_H_
