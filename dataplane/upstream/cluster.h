#ifndef PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
#define PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_

#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/call/call.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/endpoint.h"

namespace portico::upstream {

// One cluster in one worker. Outlives configurations: Update keeps every endpoint that is named again. Outlives its
// calls.
//
//   Cluster cluster(loop, network, pool, config);
//   auto call = cluster.Start(request, handler);
//   cluster.Update(newer_config);
class Cluster final : public call::Backend {
 public:
  Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool, std::shared_ptr<const ClusterConfig> config);
  ~Cluster() override;

  // The same name; anything else may differ. Connections that are open keep the protocol they have.
  void Update(std::shared_ptr<const ClusterConfig> config);

  std::string_view name() const override { return use_.config->name; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override;

  // For UpstreamCall: the next endpoint in turn that is not in `tried`; one that rests only if all others do.
  // nullptr: all were tried.
  Endpoint* Choose(const std::vector<Endpoint*>& tried);
  const ClusterConfig& config() const { return *use_.config; }
  event::Loop& loop() { return use_.loop; }

  const std::vector<std::unique_ptr<Endpoint>>& endpoints() const { return endpoints_; }
  size_t connections() const { return use_.connections; }
  size_t pending() const { return use_.pending; }
  size_t calls() const { return calls_; }

 private:
  friend class UpstreamCall;
  void ForgetRemoved();

  ClusterUse use_;
  std::vector<std::unique_ptr<Endpoint>> endpoints_;
  std::vector<std::unique_ptr<Endpoint>> removed_;  // until their last connection ends
  size_t next_ = 0;
  size_t calls_ = 0;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_CLUSTER_H_
