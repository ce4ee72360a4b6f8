#include "dataplane/worker/cluster_registry.h"

#include <utility>

namespace portico::worker {

ClusterRegistry::ClusterRegistry(event::Loop& loop, net::Network& network, base::BlockPool& pool,
                                 upstream::ClusterObserver& observer, SharedLimits& limits)
    : loop_(loop), network_(network), pool_(pool), observer_(observer), limits_(limits) {}

// An update may end exchanges, and whatever those do next finds the registry whole: so the names change first.
void ClusterRegistry::Swap(const std::vector<std::shared_ptr<const upstream::ClusterConfig>>& configs) {
  Entries next;
  std::vector<Entry> changed;
  for (const std::shared_ptr<const upstream::ClusterConfig>& config : configs) {
    auto known = entries_.extract(config->name);
    if (known.empty()) {
      next[config->name] = {config, std::make_shared<upstream::Cluster>(loop_, network_, pool_, config, &observer_,
                                                                        limits_.OfCluster(config->name))};
      continue;
    }
    if (std::exchange(known.mapped().config, config) != config) changed.push_back(known.mapped());
    next.insert(std::move(known));
  }
  DropLater(std::exchange(entries_, std::move(next)));
  for (const Entry& entry : changed)
    entry.cluster->Update(entry.config);
}

void ClusterRegistry::Clear() {
  DropLater(std::exchange(entries_, {}));
}

void ClusterRegistry::DropLater(Entries entries) {
  struct Dropped : event::Deletable {
    explicit Dropped(Entries held) : entries(std::move(held)) {}
    const Entries entries;
  };
  if (!entries.empty()) loop_.DeleteLater(std::make_unique<Dropped>(std::move(entries)));
}

std::shared_ptr<upstream::Cluster> ClusterRegistry::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second.cluster;
}

std::vector<ClusterState> ClusterRegistry::States() const {
  std::vector<ClusterState> states;
  for (const auto& [name, entry] : entries_) {
    const upstream::Cluster& cluster = *entry.cluster;
    states.push_back({name, cluster.endpoint_states(), cluster.connections(), cluster.calls(), cluster.pending()});
  }
  return states;
}

}  // namespace portico::worker
