#ifndef PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_
#define PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_

#include <memory>
#include <string>

#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/base/time.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/address.h"
#include "dataplane/net/network.h"
#include "dataplane/upstream/cluster_config.h"
#include "dataplane/upstream/connection.h"

namespace portico::upstream {

// What a cluster's endpoints in one worker share: the world, the newest configuration, and what its limits count.
struct ClusterUse {
  event::Loop& loop;
  net::Network& network;
  base::BlockPool& pool;
  std::shared_ptr<const ClusterConfig> config;
  http::Limits limits{};
  size_t connections = 0;
  size_t pending = 0;
};

// A call that waits for a connection. Unlinks itself when it is destroyed.
class Waiter : public base::ListLink<struct WaiterTag> {
 public:
  virtual ~Waiter() = default;
  // CanSend() is true; use it now. The waiter is no longer linked.
  virtual void OnConnection(Connection& connection) = 0;
  virtual void OnNoConnection(const call::Error& error) = 0;
};

// One address of a cluster in one worker: its pool of connections, the calls that wait for one, and how long it rests
// after a failure. A new connection is made only while more calls wait than connections are on their way.
class Endpoint final : private Connection::Owner {
 public:
  static constexpr base::Duration kFirstRest = std::chrono::seconds(1);
  static constexpr base::Duration kLongestRest = std::chrono::seconds(60);

  Endpoint(ClusterUse& use, const net::Address& address);
  ~Endpoint() override;

  const net::Address& address() const { return address_; }
  const std::string& name() const { return name_; }
  bool Rests() const { return use_.loop.Now() < rests_until_; }
  size_t connection_count() const { return connection_count_; }
  size_t pending_count() const { return pending_count_; }

  // A connection that can take a request now, the last used one first, or nullptr.
  Connection* Available();
  // Waits for one, beginning to connect if need be. False: a limit of the cluster forbids it. Never calls the waiter
  // before it returns.
  bool Wait(Waiter& waiter);
  // The waiter left by itself.
  void Left(Waiter& waiter);
  // The configuration names it no more: waiters are told, idle connections close, the others when they are done.
  void Remove();
  bool gone() const { return removed_ && connection_count_ == 0; }

 private:
  using Connections = base::IntrusiveList<Connection, struct ConnectionTag>;

  // Connection::Owner
  void OnOpened(Connection& connection) override;
  void OnAvailable(Connection& connection) override;
  void OnClosed(Connection& connection, bool opened, const call::Error& error) override;

  void Connect();
  void ConnectForWaiters();
  void File(Connection& connection);
  void CloseSurplus();
  void ServeWaiters(Connection& connection);
  void RefuseWaiters(size_t count, const call::Error& error);
  void Failed();

  ClusterUse& use_;
  const net::Address address_;
  const std::string name_;
  Connections available_;  // may take a request; the front was used last
  Connections busy_;       // connecting, or full
  base::IntrusiveList<Waiter, struct WaiterTag> waiters_;
  size_t connection_count_ = 0;
  size_t connecting_count_ = 0;
  size_t pending_count_ = 0;
  int failures_ = 0;  // to connect, in a row
  base::MonotonicTime rests_until_{};
  bool removed_ = false;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_ENDPOINT_H_
