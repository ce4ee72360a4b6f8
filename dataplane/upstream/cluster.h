#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/call/call.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/endpoint.h"

namespace portico::upstream {

// One cluster in one worker. Outlives configurations: Update keeps every endpoint that is named again. Outlives its
// calls.
//
//   Cluster cluster(loop, network, pool, config, &observer);
//   auto call = cluster.Start(request, handler);
//   cluster.Update(newer_config);
class Cluster final : public call::Backend, private shared::Budget::Member::Handler {
 public:
  // `observer` may be nullptr. All outlive the cluster. `budget`: the one that this cluster has in all workers.
  Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool, std::shared_ptr<const ClusterConfig> config,
          ClusterObserver* observer = nullptr, const ClusterBudget& budget = {});
  ~Cluster() override;

  // The same name; anything else may differ. If the protocol or the security does, connections that are open take no
  // new requests; those under way on them go on.
  void Update(std::shared_ptr<const ClusterConfig> config);

  std::string_view name() const override { return name_; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override;

  // For UpstreamCall: the next endpoint in turn that is not in `tried` and that can serve a call now or by connecting;
  // the one at `avoided` (may be nullptr) only if all others rest, and one that rests only if all do. nullptr: there is
  // none.
  Endpoint* Choose(const std::vector<net::Address>& tried, const net::Address* avoided = nullptr);
  // The next endpoint in turn that has a connection to be used now.
  Endpoint* FindFree();
  bool AllTried(const std::vector<net::Address>& tried) const;
  // For UpstreamCall: waits until any connection is free or may be made. The waiter has its place.
  void Wait(Waiter& waiter);
  void Observe(std::string_view outcome);
  const ClusterConfig& config() const { return *use_.config; }
  event::Loop& loop() { return use_.loop; }

  std::vector<EndpointState> endpoint_states() const;
  size_t connections() const { return use_.slots.held(); }
  size_t pending() const { return use_.pending.held(); }
  size_t calls() const { return calls_; }

 private:
  friend class UpstreamCall;
  // shared::Budget::Member::Handler
  void OnRoom() override;
  size_t OnWanted(size_t count) override;

  void ForgetRemoved();

  const std::string name_;  // its own: an exchange that began before an Update still calls it so
  ClusterUse use_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::unique_ptr<Endpoint>> removed_;  // until their last connection ends
  size_t next_ = 0;
  size_t calls_ = 0;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
