#ifndef PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_
#define PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/event/timer.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/address.h"
#include "dataplane/net/network.h"
#include "dataplane/shared/budget.h"
#include "dataplane/shared/retry_budget.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/cluster_observer.h"
#include "dataplane/upstream/connection.h"
#include "dataplane/upstream/outlier/verdicts.h"
#include "dataplane/upstream/waiting_line.h"

namespace portico::upstream {

// What the workers have of a cluster together: what its limits count, and what they think of its endpoints.
struct ClusterShared {
  std::shared_ptr<shared::Budget> connections = std::make_shared<shared::Budget>();
  std::shared_ptr<shared::Budget> pending = std::make_shared<shared::Budget>();
  std::shared_ptr<shared::Budget> requests = std::make_shared<shared::Budget>();
  std::shared_ptr<outlier::Verdicts> verdicts = std::make_shared<outlier::Verdicts>();
  std::shared_ptr<shared::RetryBudget> retries = std::make_shared<shared::RetryBudget>();
};

// What a cluster's endpoints in one worker share: the world, the newest configuration, and what its limits count.
struct ClusterUse {
  event::Loop& loop;
  net::Network& network;
  base::BlockPool& pool;
  std::shared_ptr<const ClusterConfig> config;
  ClusterObserver* observer = nullptr;  // nullptr: nobody
  http::Limits limits{};
  const std::shared_ptr<outlier::Verdicts> verdicts;
  shared::Budget::Member slots;     // a connection each
  shared::Budget::Member pending;   // a call that waits each
  shared::Budget::Member requests;  // a call each, while there is a limit
  std::shared_ptr<shared::RetryBudget> retries;
  size_t serving_endpoints = 0;  // of the configuration, those with a weight
  WaitingLine line{&slots};      // of the calls for which no connection is on its way: the limit is reached

  bool HasRoom() const { return slots.HasRoom(config->connections_max); }
};

// For admin: one endpoint at one moment.
struct EndpointState {
  std::string address;  // "127.0.0.1:9001"
  bool resting = false;
  bool ejected = false;
  size_t connections = 0;  // with those on their way
  size_t waiting = 0;      // calls that wait for one of them
};

// One address of a cluster in one worker: its pool of connections, the calls that wait for one, how long it rests after
// a failure to connect, and what becomes of the calls, which all workers judge together. Who waits here has a
// connection on its way; where the limit forbids one, the cluster's line is the place, which every connection that
// becomes free serves, whatever its endpoint.
class Endpoint final : private Connection::Owner, private event::Timer::Handler {
 public:
  static constexpr base::Duration kFirstRest = std::chrono::seconds(1);
  static constexpr base::Duration kLongestRest = std::chrono::seconds(60);

  Endpoint(ClusterUse& use, const net::Address& address);
  ~Endpoint() override;

  const net::Address& address() const { return address_; }
  const std::string& name() const { return name_; }
  bool Rests() const { return use_.loop.Now() < rests_until_; }
  bool Ejected() const { return verdict_ != nullptr && verdict_->Ejected(use_.loop.Now()); }
  EndpointState state() const { return {name_, Rests(), Ejected(), connection_count_, line_.size()}; }
  // The configuration may have ejection, or none. `serves`: it has a weight; else nobody judges it.
  void UpdateVerdict(bool serves);

  // A call has gone out to it; what became of it (`outcome` of cluster_observer.h), once for each. It stays until then.
  void OnCallBegun() { ++calls_; }
  void OnCallOver(std::string_view outcome);
  // Under way, and waiting for a connection to it.
  size_t calls() const { return calls_ + line_.size(); }

  // A connection that can take a request now, the last used one first, or nullptr.
  Connection* Available();
  // Wait() is possible: there may be one more connection, or one is on its way that is nobody's yet.
  bool CanWait() const;
  bool Ready() { return Available() != nullptr || CanWait(); }
  // Waits for a connection, beginning to make one if need be. Never calls the waiter before it returns. The waiter has
  // its place among the cluster's.
  void Wait(Waiter& waiter);
  // Has a connection made for the waiter, which therefore needs no place. False: it may not be made, or one is on its
  // way that may be shared; it waits for nothing.
  bool WaitForNew(Waiter& waiter);
  // Closes the idle connection that was used longest ago, if there is one.
  bool CloseIdle(const call::Error& error);
  // No more requests on a connection that several share: it ends with those it has. False: there is none.
  bool DrainOne();
  // Connections that end so.
  size_t DrainingCount();
  // The connections were made on other terms (protocol, security) than new ones would be: no new requests on them.
  void Renew();
  // The configuration names it no more: waiters are told, idle connections close, the others when they are done.
  void Remove();
  bool gone() const { return removed_ && connection_count_ == 0 && calls_ == 0; }

 private:
  using Connections = base::IntrusiveList<Connection, struct ConnectionTag>;

  // Connection::Owner
  void OnOpened(Connection& connection) override;
  void OnAvailable(Connection& connection) override;
  void OnClosed(Connection& connection, bool opened, const call::Error& error) override;
  // When its ejection is over, if it was from here.
  void OnTimer(event::Timer& timer) override;

  void Connect();
  void ConnectForWaiters();
  size_t OnTheirWay() const;
  bool BelongsToOthers(const Connection& connection) const;
  void GiveUp(Connection& connection);
  void File(Connection& connection);
  void CloseSurplus();
  void ServeWaiters(Connection& connection);
  void RefuseWaiters(size_t count, const call::Error& error);
  void Failed();
  void JudgeFailure();
  void ForgetEjection();

  ClusterUse& use_;
  const net::Address address_;
  const std::string name_;
  Connections available_;  // may take a request; the front was used last
  Connections busy_;       // connecting, or full
  WaitingLine line_;
  size_t connection_count_ = 0;
  size_t connecting_count_ = 0;
  size_t calls_ = 0;
  int failures_ = 0;  // to connect, in a row
  base::MonotonicTime rests_until_{};
  std::shared_ptr<outlier::Verdict> verdict_;  // nullptr: the cluster has no ejection, or this no weight
  std::optional<event::Timer> ejection_ends_;  // of an ejection that was from here, and has been told
  bool removed_ = false;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_
