#include "dataplane/listener/listener.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/observe/families.h"

namespace portico::listener {

Listener::Listener(const ListenerParts& parts, Owner& owner)
    : parts_(parts), owner_(owner), site_{parts.host, nullptr}, timer_(parts.loop.timers(), *this) {
  parts_.budget.Join(*this);
}

Listener::~Listener() {
  DropWaiting();
  PORTICO_CHECK(connections_.empty(), "a listener dies under its connections");
}

absl::Status Listener::Bind(const snapshot::Port& port, const std::vector<BindAddress>& addresses) {
  for (Door& door : doors_)
    door.wanted = false;
  for (const BindAddress& bind : addresses) {
    const net::Address address = bind.address.WithPort(port.number);
    const auto known = std::find_if(doors_.begin(), doors_.end(), [&](const Door& d) { return d.address == address; });
    if (known != doors_.end()) {
      known->wanted = true;
      continue;
    }
    auto acceptor = parts_.network.Listen(address, {}, *this);
    if (acceptor.ok()) {
      doors_.push_back({address, *std::move(acceptor)});
      Steer(doors_.back());
    } else if (!Bearable(bind, acceptor.status())) {
      Unbind();
      return PortError(port, acceptor.status());
    }
  }
  return absl::OkStatus();
}

void Listener::Unbind() {
  std::erase_if(doors_, [](const Door& door) { return !door.serving; });
}

void Listener::Update(std::shared_ptr<const snapshot::Port> port) {
  // What was agreed on in clear is not to be taken for TLS, nor the reverse.
  const bool changes_security = site_.port != nullptr && (site_.port->tls == nullptr) != (port->tls == nullptr);
  site_.port = std::move(port);
  if (changes_security) ForEachConnection([](downstream::Connection& one) { one.Drain(true); });
  CountUnder(PortLabel(*site_.port));
  for (Door& door : doors_) {
    door.serving = true;
    if (!door.wanted) Empty(*door.acceptor);
  }
  std::erase_if(doors_, [](const Door& door) { return !door.wanted; });
  OnBudgetChanged();
}

// Another listener may count under the same name meanwhile: one that has moved to this port, say.
void Listener::CountUnder(std::string label) {
  if (label == label_ && connections_gauge_ != nullptr) return;
  if (connections_gauge_ != nullptr) connections_gauge_->Add(-static_cast<int64_t>(connection_count_));
  label_ = std::move(label);
  connections_gauge_ = &parts_.metrics.GaugeOf(observe::kDownstreamConnections, {label_});
  connections_gauge_->Add(static_cast<int64_t>(connection_count_));
  handshake_failures_ = &parts_.metrics.CounterOf(observe::kTlsHandshakeFailures, {label_});
  misbehaviours_ = &parts_.metrics.CounterOf(observe::kMisbehaviour, {label_});
}

void Listener::Steer(Door& door) const {
  if (door.serving && !parts_.budget.full()) {
    door.acceptor->Resume();
  } else {
    door.acceptor->Pause();
  }
}

void Listener::OnBudgetChanged() {
  for (Door& door : doors_)
    Steer(door);
}

void Listener::OnAccept(std::unique_ptr<net::ByteStream> stream) {
  if (emptying_) {
    parts_.budget.Take();
    return Serve(std::move(stream));
  }
  if (parts_.budget.TryTake()) return Serve(std::move(stream));
  waiting_ = std::move(stream);
  parts_.budget.BeginWaiting();
}

bool Listener::LetIn() {
  if (waiting_ == nullptr || !parts_.budget.TryTake()) return false;
  std::unique_ptr<net::ByteStream> stream = std::move(waiting_);
  parts_.budget.EndWaiting();
  Serve(std::move(stream));
  return true;
}

void Listener::DropWaiting() {
  if (waiting_ == nullptr) return;
  waiting_.reset();
  parts_.budget.EndWaiting();
}

// Of those that were looked at: who asked last is not always idle last, but nearly.
downstream::Connection* Listener::LongestIdle() {
  downstream::Connection* longest = nullptr;
  downstream::Connection* next = connections_.front();
  for (size_t looks = std::min(kLooksMax, connection_count_); looks > 0 && next != nullptr; --looks) {
    downstream::Connection& one = *next;
    next = connections_.Next(one);
    if (!one.idle()) {
      MoveToEnd(one);
    } else if (longest == nullptr || one.idle_since() < longest->idle_since()) {
      longest = &one;
    }
  }
  return longest;
}

std::optional<base::MonotonicTime> Listener::IdleSince() {
  const downstream::Connection* longest = LongestIdle();
  if (longest == nullptr) return std::nullopt;
  return longest->idle_since();
}

// An HTTP/1.1 connection between two requests closes, an HTTP/2 connection without streams says GOAWAY first.
void Listener::CloseIdle() {
  downstream::Connection* longest = LongestIdle();
  PORTICO_CHECK(longest != nullptr);
  longest->http2() ? longest->Drain(true) : longest->Close();
}

void Listener::MoveToEnd(downstream::Connection& connection) {
  decltype(connections_)::Remove(connection);
  connections_.PushBack(connection);
}

void Listener::Serve(std::unique_ptr<net::ByteStream> stream) {
  const snapshot::Port& port = *site_.port;
  if (port.tls != nullptr) {
    stream = std::make_unique<tls::TlsStream>(std::move(stream), port.tls->NewSession(), parts_.scratch);
  }
  const downstream::Connection::Timeouts timeouts = {.open = port.client->request_head_timeout,
                                                     .request_head = port.client->request_head_timeout,
                                                     .idle = port.client->connection_idle_timeout};
  downstream::Connection::Owner& owner = *this;
  auto* connection =
      new downstream::Connection(parts_.loop, parts_.pool, std::move(stream), owner,
                                 std::shared_ptr<const http::Limits>(port.client, &port.client->limits), timeouts);
  connections_.PushBack(*connection);
  ++connection_count_;
  connections_gauge_->Add(1);
  if (stage_ != Stage::kServing) connection->Drain(false);
}

std::unique_ptr<downstream::ExchangeEvents> Listener::NewExchange(downstream::Connection& connection,
                                                                  http::StreamId id) {
  MoveToEnd(connection);
  return std::make_unique<downstream::Exchange>(connection, id, site_);
}

void Listener::OnClosed(downstream::Connection& connection) {
  const auto* tls = dynamic_cast<const tls::TlsStream*>(&connection.stream());
  const bool ours = closing_ || stage_ == Stage::kFinal;
  if (tls != nullptr && !tls->handshake_done() && !ours) handshake_failures_->Add();
  misbehaviours_->Add(connection.misbehaviours());
  decltype(connections_)::Remove(connection);
  --connection_count_;
  connections_gauge_->Add(-1);
  parts_.loop.DeleteLater(std::unique_ptr<event::Deletable>(&connection));
  parts_.budget.GiveBack();
  if (connection_count_ > 0 || (!closing_ && stage_ < Stage::kLeaving)) return;
  timer_.Forget();
  owner_.OnEmpty(*this);
}

// `act` may close the connection, and no other one.
template <typename Act>
void Listener::ForEachConnection(Act act) {
  for (downstream::Connection* connection = connections_.front(); connection != nullptr;) {
    downstream::Connection* next = connections_.Next(*connection);
    act(*connection);
    connection = next;
  }
}

void Listener::Drain(bool final) {
  const Stage before = stage_;
  if (before >= Stage::kLeaving || (before == Stage::kWarning && !final)) return;
  stage_ = final ? Stage::kLeaving : Stage::kWarning;
  if (final) CloseDoors();
  if (before == Stage::kServing) ForEachConnection([](downstream::Connection& one) { one.Drain(false); });
  if (!final || connection_count_ > 0) timer_.Set(parts_.loop.Now() + kWarningTime);
}

void Listener::Empty(net::Acceptor& acceptor) {
  emptying_ = true;
  acceptor.Drain();
  emptying_ = false;
}

void Listener::CloseDoors() {
  if (waiting_ != nullptr) {
    parts_.budget.Take();
    std::unique_ptr<net::ByteStream> stream = std::move(waiting_);
    parts_.budget.EndWaiting();
    Serve(std::move(stream));
  }
  for (const Door& door : doors_)
    if (door.serving) Empty(*door.acceptor);
  doors_.clear();
}

void Listener::OnTimer(event::Timer&) {
  if (stage_ == Stage::kWarning) {
    timer_.Set(parts_.loop.Now() + kWarningTime);
    return ForEachConnection([](downstream::Connection& one) { one.AgeWarning(); });
  }
  stage_ = Stage::kFinal;
  ForEachConnection([](downstream::Connection& one) { one.Drain(true); });
}

void Listener::Close() {
  closing_ = true;
  timer_.Forget();
  DropWaiting();
  doors_.clear();
  ForEachConnection([](downstream::Connection& one) { one.Close(); });
}

}  // namespace portico::listener
