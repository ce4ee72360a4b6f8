#include "dataplane/snapshot/backends_config.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "dataplane/compose/compose_config.h"
#include "dataplane/upstream/build_cluster_config.h"

namespace portico::snapshot {
namespace {

using base::Concat;
using check::ResourceKey;

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::FailedPreconditionError(base::ToAbsl(Concat(pieces...)));
}

std::string Words(const absl::Status& status) {
  return std::string(base::ToStd(status.message()));
}

std::vector<std::string> ClustersOf(const BoundBackend& backend) {
  std::vector<std::string> out = backend.plan_clusters;
  if (!backend.cluster.empty()) out.push_back(backend.cluster);
  return out;
}

}  // namespace

BackendBinder::BackendBinder(Timeouts timeouts, Snapshot& snapshot)
    : timeouts_(timeouts),
      snapshot_(snapshot),
      configuration_(snapshot.resolved.configuration),
      grants_(configuration_) {}

std::set<ResourceKey> BackendBinder::Refresh(const std::set<ResourceKey>& changed) {
  changed_ = changed;
  std::set<ResourceKey> stale = changed;
  for (const ResourceKey& key : changed) {
    for (const ResourceKey& referrer : configuration_.Referrers(key))
      if (referrer.kind == "Composition") stale.insert(referrer);
  }
  std::set<ResourceKey> out;
  auto& backends = snapshot_.parts.backends;
  for (const ResourceKey& key : stale) {
    std::vector<SharedParts::BackendKey> known;
    for (auto entry = backends.map().lower_bound(SharedParts::BackendKey{key, std::nullopt});
         entry != backends.map().end() && entry->first.first == key; ++entry) {
      known.push_back(entry->first);
    }
    for (const SharedParts::BackendKey& one : known) {
      const std::shared_ptr<const BoundBackend> before = backends.map().Find(one)->value;
      auto after = std::make_shared<const BoundBackend>(Build(one, before.get()));
      TakeClusters(*after);
      DropClusters(*before);
      if (*after == *before) continue;
      backends.Replace(one, std::move(after));
      out.insert(key);
    }
  }
  return out;
}

std::shared_ptr<const BoundBackend> BackendBinder::Take(const resolve::ResolvedBackend& backend) {
  if (!backend.fault.empty()) return std::make_shared<const BoundBackend>(BoundBackend{backend.fault, "", nullptr, {}});
  const SharedParts::BackendKey key(backend.key, backend.port);
  return snapshot_.parts.backends.Take(key, [&] {
    auto made = std::make_shared<const BoundBackend>(Build(key, nullptr));
    TakeClusters(*made);
    return made;
  });
}

void BackendBinder::Drop(const resolve::ResolvedBackend& backend) {
  if (!backend.fault.empty()) return;
  const SharedParts::BackendKey key(backend.key, backend.port);
  const std::shared_ptr<const BoundBackend> bound = snapshot_.parts.backends.map().Find(key)->value;
  if (snapshot_.parts.backends.Drop(key)) DropClusters(*bound);
}

BoundBackend BackendBinder::Build(const SharedParts::BackendKey& key, const BoundBackend* before) {
  if (key.first.kind == "Composition") return BuildComposition(key.first, before);
  absl::StatusOr<std::string> name = BuildCluster(key.first, key.second);
  BoundBackend out;
  if (name.ok()) {
    out.cluster = *std::move(name);
  } else {
    out.fault = Words(name.status());
  }
  return out;
}

absl::StatusOr<std::string> BackendBinder::BuildCluster(const ResourceKey& key, std::optional<uint32_t> port) {
  auto whole = whole_.find(key);
  if (whole == whole_.end()) whole = whole_.emplace(key, BuildWhole(key)).first;
  if (!whole->second.ok()) return whole->second.status();
  const Cluster& cluster = *whole->second;
  if (cluster->named && port && cluster->named->port != *port) {
    return Fault(key.ToString(), " has no endpoint with port ", *port);
  }
  const auto has_other_port = [port](const upstream::ConfiguredEndpoint& endpoint) {
    return port && endpoint.address.port() != *port;
  };
  // Of endpoints that come and go, a port always makes a cluster of its own, which keeps its name whoever comes.
  const bool selects = port && configuration_.Find(key)->cluster().spec().has_endpoints_from();
  const auto& endpoints = cluster->endpoints;
  if (!selects && std::none_of(endpoints.begin(), endpoints.end(), has_other_port)) return Keep(key, cluster);
  auto part = std::make_shared<upstream::ClusterConfig>(*cluster);
  std::erase_if(part->endpoints, has_other_port);
  if (part->endpoints.empty() && !selects) return Fault(key.ToString(), " has no endpoint with port ", *port);
  part->name = Concat(cluster->name, ":", *port);
  return Keep(key, std::move(part));
}

const std::string& BackendBinder::Keep(const ResourceKey& key, Cluster cluster) {
  const std::string name = cluster->name;
  return built_.try_emplace(name, Built{std::move(cluster), changed_.contains(key)}).first->first;
}

// One that has not changed stays the same object, so that nobody has to look at it.
void BackendBinder::TakeClusters(const BoundBackend& backend) {
  for (const std::string& name : ClustersOf(backend)) {
    snapshot_.parts.cluster_names.Take(name, [] { return std::monostate(); });
    const Built& built = built_.at(name);
    if (built.is_changed || !snapshot_.clusters.contains(name)) snapshot_.clusters.Put(name, built.cluster);
  }
}

void BackendBinder::DropClusters(const BoundBackend& backend) {
  for (const std::string& name : ClustersOf(backend))
    if (snapshot_.parts.cluster_names.Drop(name)) snapshot_.clusters.Erase(name);
}

absl::StatusOr<BackendBinder::Cluster> BackendBinder::BuildWhole(const ResourceKey& key) {
  const v1::Resource* resource = configuration_.Find(key);
  if (resource == nullptr || !resource->has_cluster()) return Fault(key.ToString(), " does not exist");
  absl::StatusOr<Cluster> built = upstream::BuildClusterConfig(key, configuration_, grants_);
  if (!built.ok()) return Fault(key.ToString(), ": ", base::ToStd(built.status().message()));
  auto cluster = std::make_shared<upstream::ClusterConfig>(**built);
  cluster->response_head_timeout = timeouts_.response_head;
  cluster->stream_idle_timeout = timeouts_.stream_idle;
  return Cluster(std::move(cluster));
}

// One step that can't be called breaks the whole: what the answer would be without it is nobody's decision.
BoundBackend BackendBinder::BuildComposition(const ResourceKey& key, const BoundBackend* before) {
  BoundBackend out;
  const v1::Resource* resource = configuration_.Find(key);
  if (resource == nullptr || !resource->has_composition()) {
    out.fault = Concat(key.ToString(), " does not exist");
    return out;
  }
  const bool is_known = before != nullptr && before->plan != nullptr && !changed_.contains(key);
  absl::StatusOr<std::shared_ptr<const compose::Plan>> plan =
      is_known ? before->plan : compose::BuildPlan(resource->composition());
  if (!plan.ok()) {
    out.fault = Concat(key.ToString(), ": ", Words(plan.status()));
    return out;
  }
  std::vector<std::string> names;
  for (const compose::BackendKey& wanted : (*plan)->backends) {
    const ResourceKey to{"Cluster", wanted.name_space, wanted.name};
    absl::StatusOr<std::string> name =
        grants_.Permit(key, to)
            ? BuildCluster(to, wanted.port)
            : Fault(to.ToString(), " is in another namespace and no ReferenceGrant there permits it");
    if (!name.ok()) {
      out.fault = Concat(key.ToString(), ": ", Words(name.status()));
      return out;
    }
    names.push_back(*std::move(name));
  }
  out.plan = *std::move(plan);
  out.plan_clusters = std::move(names);
  return out;
}

}  // namespace portico::snapshot
