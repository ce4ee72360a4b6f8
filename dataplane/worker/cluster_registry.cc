#include "dataplane/worker/cluster_registry.h"

#include <utility>

#include "api/base/shared_map.h"

namespace portico::worker {

ClusterRegistry::ClusterRegistry(event::Loop& loop, net::Network& network, base::BlockPool& pool, base::Random& random,
                                 upstream::ClusterObserver& observer, SharedLimits& limits)
    : loop_(loop), network_(network), pool_(pool), random_(random), observer_(observer), limits_(limits) {}

// An update may end exchanges, and whatever those do next finds the registry whole: so the names change first.
void ClusterRegistry::Swap(const snapshot::Clusters& next) {
  using Config = std::shared_ptr<const upstream::ClusterConfig>;
  std::vector<std::shared_ptr<upstream::Cluster>> dropped;
  std::vector<std::pair<std::shared_ptr<upstream::Cluster>, Config>> changed;
  base::Compare(configs_, next, [&](const std::string& name, const Config* before, const Config* after) {
    if (before == nullptr) {
      entries_[name] = std::make_shared<upstream::Cluster>(loop_, network_, pool_, random_, *after, &observer_,
                                                           limits_.OfCluster(name));
    } else if (after == nullptr) {
      dropped.push_back(std::move(entries_.extract(name).mapped()));
    } else {
      changed.emplace_back(entries_.at(name), *after);
    }
  });
  configs_ = next;
  for (const std::shared_ptr<upstream::Cluster>& cluster : dropped)
    cluster->AbandonName();
  DropLater(std::move(dropped));
  for (const auto& [cluster, config] : changed)
    cluster->Update(config);
}

// What waits for it goes on, and may do anything: it is held meanwhile.
void ClusterRegistry::SetAddresses(const std::string& cluster, std::shared_ptr<const upstream::ResolvedName> resolved) {
  if (const std::shared_ptr<upstream::Cluster> found = Find(cluster)) found->SetAddresses(std::move(resolved));
}

void ClusterRegistry::Clear() {
  std::vector<std::shared_ptr<upstream::Cluster>> dropped;
  for (auto& [name, cluster] : entries_)
    dropped.push_back(std::move(cluster));
  entries_.clear();
  configs_ = {};
  DropLater(std::move(dropped));
}

void ClusterRegistry::DropLater(std::vector<std::shared_ptr<upstream::Cluster>> clusters) {
  struct Dropped : event::Deletable {
    explicit Dropped(std::vector<std::shared_ptr<upstream::Cluster>> held) : clusters(std::move(held)) {}
    const std::vector<std::shared_ptr<upstream::Cluster>> clusters;
  };
  if (!clusters.empty()) loop_.DeleteLater(std::make_unique<Dropped>(std::move(clusters)));
}

std::shared_ptr<upstream::Cluster> ClusterRegistry::Find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : found->second;
}

std::vector<ClusterState> ClusterRegistry::States() const {
  std::vector<ClusterState> states;
  for (const auto& [name, cluster] : entries_) {
    states.push_back({name, cluster->endpoint_states(), cluster->connections(), cluster->calls(), cluster->pending()});
  }
  return states;
}

}  // namespace portico::worker
