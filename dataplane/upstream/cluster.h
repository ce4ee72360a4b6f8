#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/random.h"
#include "dataplane/call/call.h"
#include "dataplane/upstream/balancer/balancer.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/endpoint.h"

namespace portico::upstream {

// One cluster in one worker. Outlives configurations: Update keeps every endpoint that is named again. Outlives its
// calls.
//
//   Cluster cluster(loop, network, pool, random, config, &observer);
//   auto call = cluster.Start(request, handler);
//   cluster.Update(newer_config);
//   cluster.SetAddresses(resolved)      // of a configuration that names its origin, whenever they are others
class Cluster final : public call::Backend, private shared::Budget::Member::Handler {
 public:
  // `observer` may be nullptr. All outlive the cluster. `shared`: what this cluster has in all workers.
  Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool, base::Random& random,
          std::shared_ptr<const ClusterConfig> config, ClusterObserver* observer = nullptr,
          const ClusterShared& shared = {});
  ~Cluster() override;

  // The same name; anything else may differ. If the protocol or the security does, connections that are open take no
  // new requests; those under way on them go on.
  void Update(std::shared_ptr<const ClusterConfig> config);
  // Where the name in its configuration leads; of another name nothing happens. As with Update, an address that is
  // there again keeps all it has. Until the first of a name, calls wait in the cluster's line.
  void SetAddresses(std::shared_ptr<const ResolvedName> resolved);

  // Nobody will tell it where its name leads: the configuration has dropped it. What it knows it keeps.
  void AbandonName();

  std::string_view name() const override { return name_; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override;

  // For UpstreamCall: whom the balancer chooses of the endpoints that are not in `tried` and can serve a call now or by
  // connecting; the one at `avoided` (may be nullptr) only if the others can't. Then one that is ejected, if there is
  // nobody to wait for, and last one that rests: an answer that may be bad is more than no connection. nullptr: none.
  Endpoint* Choose(const std::vector<net::Address>& tried, const net::Address* avoided = nullptr);
  // An endpoint that has a connection to be used now.
  Endpoint* FindFree();
  // No endpoint is left to be asked, now or when the cluster's name leads somewhere.
  bool AllTried(const std::vector<net::Address>& tried) const;
  size_t endpoint_count() const { return endpoints_.size(); }
  // Why a call has nobody to ask.
  call::Error NoEndpoint() const;
  // For UpstreamCall: waits until any connection is free or may be made. The waiter has its place.
  void Wait(Waiter& waiter);
  void Observe(std::string_view outcome);
  // For RetryCall: a request that may be tried again; if it may be now; what became of that.
  void CountRetriable() { use_.retries->CountRequest(use_.loop.Now()); }
  bool TakeRetry() { return use_.retries->TryTake(config().retry_constraint, use_.loop.Now()); }
  void ObserveRetry(std::string_view outcome);
  const ClusterConfig& config() const { return *use_.config; }
  event::Loop& loop() { return use_.loop; }

  std::vector<EndpointState> endpoint_states() const;
  size_t connections() const { return use_.slots.held(); }
  size_t pending() const { return use_.pending.held(); }
  size_t calls() const { return calls_; }
  // Of them those that count against requests_max, if there is one.
  size_t requests() const { return use_.requests.held(); }

 private:
  enum class Turn : uint8_t { kFirst, kAvoided, kEjected, kResting };
  using Addresses = std::vector<net::Address>;

  friend class UpstreamCall;
  // shared::Budget::Member::Handler
  void OnRoom() override;
  size_t OnWanted(size_t count) override;

  std::vector<ConfiguredEndpoint> NamedEndpoints() const;
  bool AwaitsName() const { return use_.config->named && resolved_ == nullptr; }
  void UpdateEndpoints(const ClusterConfig* old);
  void Settle();
  void UpdateRequests(const ClusterConfig* old);
  bool Admit();  // one call more is under way; false: it may not be
  void Leave(bool admitted);
  Turn TurnOf(const Endpoint& endpoint, const net::Address* avoided) const;
  bool UsesEjected(const Addresses& tried) const;
  void CloseEjected();
  void ForgetRemoved();

  const std::string name_;  // its own: an exchange that began before an Update still calls it so
  ClusterUse use_;
  base::Random& random_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;  // in the order of the configuration
  std::vector<std::unique_ptr<Endpoint>> removed_;    // until their last connection and call end
  balancer::Balancer balancer_;                       // of endpoints_
  std::shared_ptr<const ResolvedName> resolved_;      // of the name in the configuration; nullptr: not yet
  size_t next_free_ = 0;
  size_t calls_ = 0;
  size_t refused_ = 0;  // of them, for requests_max
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
