#include "test/simulation/origin.h"

#include "api/base/check.h"
#include "test/simulation/origin_exchange.h"

namespace portico::simulation {

Origin::Origin(event::Loop& loop, net::Network& network, const net::Address& address, std::string_view cluster,
               Judge& judge)
    : loop_(loop), cluster_(cluster), judge_(judge), limits_(std::make_shared<http::Limits>()) {
  limits_->stream_window_bytes = size_t{32'768} << judge_.world().random().Below(3);
  limits_->streams_max = judge_.world().Chance(2) ? 100 : 2;
  acceptor_ = network.Listen(address, {}, *this).value();
}

Origin::~Origin() {
  PORTICO_CHECK(connections_.empty(), "Close() first, and let the loop turn");
}

void Origin::OnAccept(std::unique_ptr<net::ByteStream> stream) {
  downstream::Connection::Owner& owner = *this;
  connections_.PushBack(*new downstream::Connection(loop_, pool_, std::move(stream), owner, limits_, {}));
}

std::unique_ptr<downstream::ExchangeEvents> Origin::NewExchange(downstream::Connection& connection, http::StreamId id) {
  return std::make_unique<OriginExchange>(connection, id, loop_, cluster_, judge_);
}

void Origin::OnClosed(downstream::Connection& connection) {
  decltype(connections_)::Remove(connection);
  loop_.DeleteLater(std::unique_ptr<event::Deletable>(&connection));
}

void Origin::Drain() {
  for (downstream::Connection* one = connections_.front(); one != nullptr;) {
    downstream::Connection* next = connections_.Next(*one);
    one->Drain(/*final=*/true);
    one = next;
  }
}

void Origin::Close() {
  acceptor_.reset();
  while (downstream::Connection* one = connections_.front())
    one->Close();
}

}  // namespace portico::simulation
