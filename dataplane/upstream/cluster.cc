#include "dataplane/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "dataplane/upstream/upstream_call.h"

namespace portico::upstream {

Cluster::Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool,
                 std::shared_ptr<const ClusterConfig> config)
    : use_{.loop = loop, .network = network, .pool = pool, .config = nullptr} {
  Update(std::move(config));
}

Cluster::~Cluster() {
  PORTICO_CHECK(calls_ == 0, "a cluster dies under its calls");
}

void Cluster::Update(std::shared_ptr<const ClusterConfig> config) {
  use_.config = std::move(config);
  std::vector<std::unique_ptr<Endpoint>> before = std::move(endpoints_);
  endpoints_.clear();
  for (const net::Address& address : use_.config->endpoints) {
    const auto known = std::find_if(before.begin(), before.end(),
                                    [&](const auto& e) { return e != nullptr && e->address() == address; });
    endpoints_.push_back(known == before.end() ? std::make_unique<Endpoint>(use_, address) : std::move(*known));
  }
  for (std::unique_ptr<Endpoint>& endpoint : before) {
    if (endpoint != nullptr) removed_.push_back(std::move(endpoint));
  }
  // Told last: whoever waited there chooses among the new ones at once.
  for (const std::unique_ptr<Endpoint>& endpoint : removed_)
    endpoint->Remove();
  ForgetRemoved();
}

void Cluster::ForgetRemoved() {
  std::erase_if(removed_, [](const std::unique_ptr<Endpoint>& endpoint) { return endpoint->gone(); });
}

std::unique_ptr<call::Call> Cluster::Start(const call::CallRequest& request, call::CallHandler& handler) {
  ForgetRemoved();
  return std::make_unique<UpstreamCall>(*this, request, handler);
}

Endpoint* Cluster::Choose(const std::vector<Endpoint*>& tried) {
  Endpoint* resting = nullptr;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    Endpoint* endpoint = endpoints_[(next_ + i) % endpoints_.size()].get();
    if (std::find(tried.begin(), tried.end(), endpoint) != tried.end()) continue;
    if (endpoint->Rests()) {
      if (resting == nullptr) resting = endpoint;
      continue;
    }
    next_ = (next_ + i + 1) % endpoints_.size();
    return endpoint;
  }
  if (resting != nullptr) ++next_;
  return resting;
}

}  // namespace portico::upstream
