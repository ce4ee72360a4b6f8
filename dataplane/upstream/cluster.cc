#include "dataplane/upstream/cluster.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "dataplane/upstream/upstream_call.h"

namespace portico::upstream {

Cluster::Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool,
                 std::shared_ptr<const ClusterConfig> config, ClusterObserver* observer, const ClusterBudget& budget)
    : name_(config->name),
      use_{.loop = loop,
           .network = network,
           .pool = pool,
           .config = nullptr,
           .observer = observer,
           .slots = {budget.connections, loop, *this},
           .pending = {budget.pending, loop, *this}} {
  Update(std::move(config));
}

Cluster::~Cluster() {
  PORTICO_CHECK(calls_ == 0, "a cluster dies under its calls");
}

void Cluster::Update(std::shared_ptr<const ClusterConfig> config) {
  const std::shared_ptr<const ClusterConfig> old = std::exchange(use_.config, std::move(config));
  const bool renew = old != nullptr && (old->protocol != use_.config->protocol ||
                                        old->security_identity != use_.config->security_identity);
  std::vector<std::unique_ptr<Endpoint>> before = std::move(endpoints_);
  endpoints_.clear();
  for (const net::Address& address : use_.config->endpoints) {
    const auto known = std::find_if(before.begin(), before.end(),
                                    [&](const auto& e) { return e != nullptr && e->address() == address; });
    endpoints_.push_back(known == before.end() ? std::make_unique<Endpoint>(use_, address) : std::move(*known));
    if (renew) endpoints_.back()->Renew();
  }
  for (std::unique_ptr<Endpoint>& endpoint : before) {
    if (endpoint != nullptr) removed_.push_back(std::move(endpoint));
  }
  // Told last: whoever waited there chooses among the new ones at once.
  for (const std::unique_ptr<Endpoint>& endpoint : removed_)
    endpoint->Remove();
  ForgetRemoved();
  // There may be new endpoints, or a higher limit. Who finds neither lines up again, in the same order.
  use_.slots.StopWaiting();
  for (size_t count = use_.line.size(); count > 0 && !use_.line.empty(); --count)
    use_.line.TakeFirst()->OnRoom();
}

void Cluster::OnRoom() {
  while (use_.HasRoom() && !use_.line.empty())
    use_.line.TakeFirst()->OnRoom();
  if (!use_.line.empty()) use_.slots.Wait(use_.config->connections_max);
}

// What is idle here is of no use to a call of another worker. What is shared is seldom idle: it is drained.
size_t Cluster::OnWanted(size_t count) {
  if (!use_.slots.OthersWait()) return 0;
  const call::Error error{call::ErrorKind::kConnectionTerminated, true, "another worker needs the connection more"};
  for (const std::unique_ptr<Endpoint>& endpoint : endpoints_)
    while (count > 0 && endpoint->CloseIdle(error))
      --count;
  if (count == 0 || use_.config->protocol != ClusterConfig::Protocol::kHttp2) return 0;
  size_t draining = 0;
  for (const auto* endpoints : {&endpoints_, &removed_})
    for (const std::unique_ptr<Endpoint>& endpoint : *endpoints)
      draining += endpoint->DrainingCount();
  if (draining > 0 || !use_.slots.OwesOne()) return draining;
  return std::ranges::any_of(endpoints_, [](const auto& endpoint) { return endpoint->DrainOne(); }) ? 1 : 0;
}

void Cluster::ForgetRemoved() {
  std::erase_if(removed_, [](const std::unique_ptr<Endpoint>& endpoint) { return endpoint->gone(); });
}

std::unique_ptr<call::Call> Cluster::Start(const call::CallRequest& request, call::CallHandler& handler) {
  ForgetRemoved();
  return std::make_unique<UpstreamCall>(*this, request, handler);
}

Endpoint* Cluster::Choose(const std::vector<net::Address>& tried, const net::Address* avoided) {
  const size_t none = endpoints_.size();
  size_t second = none, resting = none;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    const size_t place = (next_ + i) % endpoints_.size();
    Endpoint& endpoint = *endpoints_[place];
    if (std::find(tried.begin(), tried.end(), endpoint.address()) != tried.end() || !endpoint.Ready()) continue;
    if (endpoint.Rests()) {
      if (resting == none) resting = place;
    } else if (avoided != nullptr && endpoint.address() == *avoided) {
      second = place;
    } else {
      next_ = place + 1;
      return &endpoint;
    }
  }
  const size_t place = second != none ? second : resting;
  if (place == none) return nullptr;
  next_ = place + 1;
  return endpoints_[place].get();
}

Endpoint* Cluster::FindFree() {
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    Endpoint* endpoint = endpoints_[(next_ + i) % endpoints_.size()].get();
    if (endpoint->Available() != nullptr) return endpoint;
  }
  return nullptr;
}

bool Cluster::AllTried(const std::vector<net::Address>& tried) const {
  return std::all_of(endpoints_.begin(), endpoints_.end(), [&](const std::unique_ptr<Endpoint>& endpoint) {
    return std::find(tried.begin(), tried.end(), endpoint->address()) != tried.end();
  });
}

void Cluster::Wait(Waiter& waiter) {
  use_.line.Join(waiter);
  use_.slots.Wait(use_.config->connections_max);
}

void Cluster::Observe(std::string_view outcome) {
  if (use_.observer != nullptr) use_.observer->OnAttempt(use_.config->name, outcome);
}

std::vector<EndpointState> Cluster::endpoint_states() const {
  std::vector<EndpointState> states;
  for (const std::unique_ptr<Endpoint>& endpoint : endpoints_)
    states.push_back(endpoint->state());
  return states;
}

}  // namespace portico::upstream
