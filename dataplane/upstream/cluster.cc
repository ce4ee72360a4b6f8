#include "dataplane/upstream/cluster.h"

#include <algorithm>
#include <map>
#include <utility>

#include "api/base/check.h"
#include "dataplane/upstream/retry_call.h"
#include "dataplane/upstream/upstream_call.h"

namespace portico::upstream {
namespace {

bool Contains(const std::vector<net::Address>& addresses, const net::Address& address) {
  return std::find(addresses.begin(), addresses.end(), address) != addresses.end();
}

}  // namespace

Cluster::Cluster(event::Loop& loop, net::Network& network, base::BlockPool& pool, base::Random& random,
                 std::shared_ptr<const ClusterConfig> config, ClusterObserver* observer, const ClusterShared& shared)
    : name_(config->name),
      use_{.loop = loop,
           .network = network,
           .pool = pool,
           .config = nullptr,
           .observer = observer,
           .verdicts = shared.verdicts,
           .slots = {shared.connections, loop, *this},
           .pending = {shared.pending, loop, *this},
           .requests = {shared.requests, loop, *this},
           .retries = shared.retries},
      random_(random) {
  Update(std::move(config));
}

Cluster::~Cluster() {
  PORTICO_CHECK(calls_ == 0, "a cluster dies under its calls");
}

void Cluster::Update(std::shared_ptr<const ClusterConfig> config) {
  const std::shared_ptr<const ClusterConfig> old = std::exchange(use_.config, std::move(config));
  if (resolved_ != nullptr && (!use_.config->named || use_.config->named->hostname != resolved_->hostname)) {
    resolved_ = nullptr;
  }
  UpdateRequests(old.get());
  UpdateEndpoints(old.get());
  Settle();
}

void Cluster::SetAddresses(std::shared_ptr<const ResolvedName> resolved) {
  if (!use_.config->named || use_.config->named->hostname != resolved->hostname) return;
  resolved_ = std::move(resolved);
  UpdateEndpoints(use_.config.get());
  Settle();
}

void Cluster::AbandonName() {
  if (AwaitsName()) SetAddresses(std::make_shared<const ResolvedName>(ResolvedName{use_.config->named->hostname, {}}));
}

// After the endpoints have become others.
void Cluster::Settle() {
  // Told last: whoever waited there chooses among the new ones at once.
  for (const std::unique_ptr<Endpoint>& endpoint : removed_)
    endpoint->Remove();
  ForgetRemoved();
  // There may be new endpoints, or a higher limit. Who finds neither lines up again, in the same order.
  use_.slots.StopWaiting();
  for (size_t count = use_.line.size(); count > 0 && !use_.line.empty(); --count)
    use_.line.TakeFirst()->OnRoom();
}

std::vector<ConfiguredEndpoint> Cluster::NamedEndpoints() const {
  std::vector<ConfiguredEndpoint> endpoints;
  if (AwaitsName()) return endpoints;
  for (const net::Address& address : resolved_->addresses)
    endpoints.emplace_back(address.WithPort(use_.config->named->port));
  return endpoints;
}

void Cluster::UpdateEndpoints(const ClusterConfig* old) {
  const bool renew = old != nullptr && (old->protocol != use_.config->protocol ||
                                        old->security_identity != use_.config->security_identity);
  std::map<net::Address, size_t> places;
  for (size_t place = 0; place < endpoints_.size(); ++place)
    places[endpoints_[place]->address()] = place;
  std::vector<std::unique_ptr<Endpoint>> before = std::exchange(endpoints_, {});
  std::vector<uint32_t> weights;
  std::vector<size_t> places_before;
  for (const ConfiguredEndpoint& configured : use_.config->named ? NamedEndpoints() : use_.config->endpoints) {
    const auto known = places.find(configured.address);
    const bool is_known = known != places.end() && before[known->second] != nullptr;
    places_before.push_back(is_known ? known->second : balancer::Balancer::kNew);
    weights.push_back(configured.weight);
    endpoints_.push_back(is_known ? std::move(before[known->second])
                                  : std::make_unique<Endpoint>(use_, configured.address));
    if (renew) endpoints_.back()->Renew();
    endpoints_.back()->UpdateVerdict(configured.weight > 0);
  }
  use_.serving_endpoints = weights.size() - static_cast<size_t>(std::count(weights.begin(), weights.end(), 0u));
  balancer_.Update(use_.config->balancer, std::move(weights), places_before);
  for (std::unique_ptr<Endpoint>& endpoint : before)
    if (endpoint != nullptr) removed_.push_back(std::move(endpoint));
}

// While there is a limit every call that is not refused is counted: also those that began when there was none.
void Cluster::UpdateRequests(const ClusterConfig* old) {
  const bool counted = old != nullptr && old->requests_max;
  if (counted == use_.config->requests_max.has_value()) return;
  for (size_t call = refused_; call < calls_; ++call)
    counted ? use_.requests.Return() : use_.requests.Take();
}

bool Cluster::Admit() {
  ++calls_;
  if (!use_.config->requests_max || use_.requests.TryTake(*use_.config->requests_max)) return true;
  ++refused_;
  return false;
}

void Cluster::Leave(bool admitted) {
  --calls_;
  if (!admitted) {
    --refused_;
  } else if (use_.config->requests_max) {
    use_.requests.Return();
  }
}

// Room is no use to who waits for an address; and what is not taken here goes on to another worker.
void Cluster::OnRoom() {
  if (AwaitsName()) return;
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
  if (request.retry) return std::make_unique<RetryCall>(*this, request, handler);
  return std::make_unique<UpstreamCall>(*this, request, handler);
}

Cluster::Turn Cluster::TurnOf(const Endpoint& endpoint, const net::Address* avoided) const {
  if (endpoint.Ejected()) return Turn::kEjected;
  if (endpoint.Rests()) return Turn::kResting;
  return avoided != nullptr && endpoint.address() == *avoided ? Turn::kAvoided : Turn::kFirst;
}

Endpoint* Cluster::Choose(const Addresses& tried, const net::Address* avoided) {
  const auto calls_of = [this](size_t place) { return endpoints_[place]->calls(); };
  for (const Turn turn : {Turn::kFirst, Turn::kAvoided, Turn::kEjected, Turn::kResting}) {
    if (turn == Turn::kEjected && !UsesEjected(tried)) continue;
    const auto may_take = [&](size_t place) {
      Endpoint& endpoint = *endpoints_[place];
      return TurnOf(endpoint, avoided) == turn && !Contains(tried, endpoint.address()) && endpoint.Ready();
    };
    if (const auto place = balancer_.Choose(may_take, calls_of, random_)) return endpoints_[*place].get();
  }
  return nullptr;
}

// There is nobody else to ask or to wait for.
bool Cluster::UsesEjected(const Addresses& tried) const {
  for (size_t place = 0; place < endpoints_.size(); ++place) {
    const Endpoint& endpoint = *endpoints_[place];
    if (balancer_.weight(place) == 0 || endpoint.Ejected() || endpoint.Rests()) continue;
    if (!Contains(tried, endpoint.address())) return false;
  }
  return true;
}

Endpoint* Cluster::FindFree() {
  Endpoint* ejected = nullptr;
  for (size_t i = 0; i < endpoints_.size(); ++i) {
    const size_t place = (next_free_ + i) % endpoints_.size();
    Endpoint* endpoint = endpoints_[place].get();
    if (balancer_.weight(place) == 0 || endpoint->Available() == nullptr) continue;
    if (endpoint->Ejected()) {
      ejected = endpoint;
      continue;
    }
    next_free_ = place + 1;
    return endpoint;
  }
  return ejected != nullptr && UsesEjected({}) ? ejected : nullptr;
}

bool Cluster::AllTried(const Addresses& tried) const {
  if (AwaitsName()) return false;
  for (size_t place = 0; place < endpoints_.size(); ++place)
    if (balancer_.weight(place) > 0 && !Contains(tried, endpoints_[place]->address())) return false;
  return true;
}

void Cluster::Wait(Waiter& waiter) {
  use_.line.Join(waiter);
  if (AwaitsName()) return;  // SetAddresses tells it
  if (use_.config->ejection) CloseEjected();
  use_.slots.Wait(use_.config->connections_max);
}

call::Error Cluster::NoEndpoint() const {
  const bool unknown = use_.config->named && endpoints_.empty();
  return {call::ErrorKind::kDestinationUnavailable, true,
          unknown ? "no address is known of the cluster's name" : "the cluster has no endpoint", call::Fault::kGateway};
}

// Who waits could have a connection to another endpoint instead.
void Cluster::CloseEjected() {
  const call::Error error{call::ErrorKind::kConnectionTerminated, true, "the endpoint is ejected"};
  for (const std::unique_ptr<Endpoint>& endpoint : endpoints_)
    while (endpoint->Ejected() && endpoint->CloseIdle(error)) {
    }
}

void Cluster::Observe(std::string_view outcome) {
  if (use_.observer != nullptr) use_.observer->OnAttempt(use_.config->name, outcome);
}

void Cluster::ObserveRetry(std::string_view outcome) {
  if (use_.observer != nullptr) use_.observer->OnRetry(use_.config->name, outcome);
}

std::vector<EndpointState> Cluster::endpoint_states() const {
  std::vector<EndpointState> states;
  for (const std::unique_ptr<Endpoint>& endpoint : endpoints_)
    states.push_back(endpoint->state());
  return states;
}

}  // namespace portico::upstream
