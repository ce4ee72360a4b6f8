#ifndef PORTICO_TEST_SIMULATION_ORIGIN_H_
#define PORTICO_TEST_SIMULATION_ORIGIN_H_

#include <memory>
#include <string>
#include <string_view>

#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/network.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

// One origin server: answers each request as its script says, in whichever protocol it is asked. It stands on the
// proxy's own server side, downstream::Connection, whose answers the proxy's client side reads.
class Origin final : private net::Acceptor::Handler, private downstream::Connection::Owner {
 public:
  // Listens on `address` for `cluster` ("one" or "two"). All outlive it.
  Origin(event::Loop& loop, net::Network& network, const net::Address& address, std::string_view cluster, Judge& judge);
  ~Origin() override;

  // Ends all connections; the origin dies after a turn of its loop.
  void Close();
  // As a server does that restarts: no more requests on the connections there are.
  void Drain();

 private:
  void OnAccept(std::unique_ptr<net::ByteStream> stream) override;
  std::unique_ptr<downstream::ExchangeEvents> NewExchange(downstream::Connection& connection,
                                                          http::StreamId id) override;
  void OnClosed(downstream::Connection& connection) override;

  event::Loop& loop_;
  const std::string_view cluster_;
  Judge& judge_;
  base::BlockPool pool_;
  std::shared_ptr<http::Limits> limits_;
  base::IntrusiveList<downstream::Connection, struct downstream::DownstreamTag> connections_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_ORIGIN_H_
