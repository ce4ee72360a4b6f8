#include "dataplane/snapshot/backends_config.h"

#include <algorithm>
#include <utility>

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

}  // namespace

BackendBinder::BackendBinder(const check::Configuration& configuration, Timeouts timeouts)
    : configuration_(configuration), timeouts_(timeouts), grants_(configuration) {}

BoundBackend BackendBinder::Bind(const resolve::ResolvedBackend& backend) {
  BoundBackend out;
  out.fault = backend.fault;
  if (!out.fault.empty()) return out;
  if (backend.key.kind == "Composition") {
    const auto found = compositions_.find(backend.key);
    if (found != compositions_.end()) return found->second;
    return compositions_.emplace(backend.key, BindComposition(backend.key)).first->second;
  }
  absl::StatusOr<std::string> name = BindCluster(backend.key, backend.port);
  if (name.ok()) {
    out.cluster = *std::move(name);
  } else {
    out.fault = Words(name.status());
  }
  return out;
}

std::vector<std::shared_ptr<const upstream::ClusterConfig>> BackendBinder::clusters() const {
  std::vector<Cluster> out;
  for (const auto& [name, cluster] : clusters_)
    out.push_back(cluster);
  return out;
}

absl::StatusOr<std::string> BackendBinder::BindCluster(const ResourceKey& key, std::optional<uint32_t> port) {
  auto whole = whole_.find(key);
  if (whole == whole_.end()) whole = whole_.emplace(key, BuildWhole(key)).first;
  if (!whole->second.ok()) return whole->second.status();
  const Cluster& cluster = *whole->second;
  const auto has_other_port = [port](const net::Address& endpoint) { return port && endpoint.port() != *port; };
  const auto& endpoints = cluster->endpoints;
  if (std::none_of(endpoints.begin(), endpoints.end(), has_other_port)) {
    clusters_.emplace(cluster->name, cluster);
    return cluster->name;
  }
  auto part = std::make_shared<upstream::ClusterConfig>(*cluster);
  std::erase_if(part->endpoints, has_other_port);
  if (part->endpoints.empty()) return Fault(key.ToString(), " has no endpoint with port ", *port);
  part->name = Concat(cluster->name, ":", *port);
  const std::string name = part->name;
  clusters_.emplace(name, std::move(part));
  return name;
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
BoundBackend BackendBinder::BindComposition(const ResourceKey& key) {
  BoundBackend out;
  const v1::Resource* resource = configuration_.Find(key);
  if (resource == nullptr || !resource->has_composition()) {
    out.fault = Concat(key.ToString(), " does not exist");
    return out;
  }
  absl::StatusOr<std::shared_ptr<const compose::Plan>> plan = compose::BuildPlan(resource->composition());
  if (!plan.ok()) {
    out.fault = Concat(key.ToString(), ": ", Words(plan.status()));
    return out;
  }
  std::vector<std::string> names;
  for (const compose::BackendKey& wanted : (*plan)->backends) {
    const ResourceKey to{"Cluster", wanted.name_space, wanted.name};
    absl::StatusOr<std::string> name =
        grants_.Permit(key, to)
            ? BindCluster(to, wanted.port)
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
