#ifndef PORTICO_DATAPLANE_LISTENER_LISTENER_H_
#define PORTICO_DATAPLANE_LISTENER_LISTENER_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/downstream/site.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/listener/bind_address.h"
#include "dataplane/listener/connection_budget.h"
#include "dataplane/net/network.h"
#include "dataplane/observe/metrics.h"
#include "dataplane/snapshot/snapshot.h"
#include "dataplane/tls/tls_stream.h"

namespace portico::listener {

// What the listeners of one worker share. All of it outlives them.
struct ListenerParts {
  event::Loop& loop;
  net::Network& network;
  base::BlockPool& pool;
  tls::Scratch& scratch;
  observe::Metrics& metrics;
  ConnectionBudget& budget;
  downstream::Host& host;
};

// One port in one worker, on all its addresses: accepts, puts TLS around the stream if the port has it, and owns the
// connections. A port of the configuration may hold several Listeners (by hostname); which one a request belongs to is
// known from its head, so metrics name them together ("shop,admin").
//
//   Listener listener(parts, owner);
//   listener.Bind(*port, addresses)    → the kernel queues connections, nobody accepts yet; fails: nothing is left open
//   listener.Update(port)              → accepts; later again, after another Bind, with a newer port
//   listener.Unbind()                  → instead of Update: what the last Bind opened is closed
//
//   kServing ──Drain(false)──▶ kWarning ──Drain(true)──▶ kLeaving ──kWarningTime──▶ kFinal
//   kWarning: goes on accepting; every client hears GOAWAY, or `connection: close` with its next answer; an HTTP/2
//             connection that was warned kWarningTime ago or earlier takes no new streams and ends with its last one
//   kLeaving: the accept queue is emptied, the sockets are closed; who waited there may still ask for something
//   kFinal:   idle connections are closed; it is empty when the last exchange has ended
//
// It dies at the end of a turn, without connections.
class Listener final : public event::Deletable,
                       private net::Acceptor::Handler,
                       private downstream::Connection::Owner,
                       private event::Timer::Handler,
                       private ConnectionBudget::Holder {
 public:
  class Owner {
   public:
    // After Drain(true) or Close: the last connection is gone. The owner may hand the listener to Loop::DeleteLater,
    // for the next round: those who die in this one still know it.
    virtual void OnEmpty(Listener& listener) = 0;

   protected:
    ~Owner() = default;
  };

  // Between the warning and the end: a GOAWAY needs a round trip before the last stream is known, and a request that
  // was on its way when the port was closed needs the time to arrive.
  static constexpr base::Duration kWarningTime = std::chrono::seconds(1);
  // Connections that are looked at for one that is idle, before others have their turn.
  static constexpr size_t kLooksMax = 64;

  // Parts and owner outlive it.
  Listener(const ListenerParts& parts, Owner& owner);
  ~Listener() override;

  // Opens what of the addresses is not open yet. Errors name listener and port.
  absl::Status Bind(const snapshot::Port& port, const std::vector<BindAddress>& addresses);
  void Unbind();
  // The same number; anything else may differ. Open connections keep what they began with, except that their next
  // requests are routed by the new port. Addresses that the last Bind did not name are given up.
  void Update(std::shared_ptr<const snapshot::Port> port);
  void Drain(bool final);
  // Now, whatever is under way. Calls OnEmpty if there was a connection.
  void Close();

  size_t connections() const { return connection_count_; }
  const std::string& label() const { return label_; }  // PortLabel of the last Update

 private:
  enum class Stage : uint8_t { kServing, kWarning, kLeaving, kFinal };
  struct Door {
    net::Address address;
    std::unique_ptr<net::Acceptor> acceptor;
    bool serving = false;  // Update has come since it was opened
    bool wanted = true;    // by the last Bind
  };

  void OnAccept(std::unique_ptr<net::ByteStream> stream) override;
  std::unique_ptr<downstream::ExchangeEvents> NewExchange(downstream::Connection& connection,
                                                          http::StreamId id) override;
  void OnClosed(downstream::Connection& connection) override;
  void OnTimer(event::Timer& timer) override;
  void OnBudgetChanged() override;
  bool LetIn() override;
  std::optional<base::MonotonicTime> IdleSince() override;
  void CloseIdle() override;

  void Serve(std::unique_ptr<net::ByteStream> stream);
  void DropWaiting();
  downstream::Connection* LongestIdle();
  void MoveToEnd(downstream::Connection& connection);
  void Empty(net::Acceptor& acceptor);
  void CountUnder(std::string label);
  void Steer(Door& door) const;
  void CloseDoors();
  template <typename Act>
  void ForEachConnection(Act act);

  const ListenerParts parts_;
  Owner& owner_;
  downstream::Site site_;
  std::string label_;
  shared::Gauge* connections_gauge_ = nullptr;
  shared::Counter* handshake_failures_ = nullptr;
  shared::Counter* misbehaviours_ = nullptr;
  std::vector<Door> doors_;
  std::unique_ptr<net::ByteStream> waiting_;  // accepted over the limit of connections
  // In the order of their last requests; and somebody who was looked at and not idle counts as having asked just then.
  base::IntrusiveList<downstream::Connection, struct downstream::DownstreamTag> connections_;
  size_t connection_count_ = 0;
  Stage stage_ = Stage::kServing;
  bool closing_ = false;
  bool emptying_ = false;  // an accept queue, whatever the limit says
  event::Timer timer_;
};

}  // namespace portico::listener

#endif  // PORTICO_DATAPLANE_LISTENER_LISTENER_H_
