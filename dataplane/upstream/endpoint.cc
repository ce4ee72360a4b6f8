#include "dataplane/upstream/endpoint.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "dataplane/http/h1/client_codec.h"
#include "dataplane/http/h2/client_codec.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;

std::unique_ptr<http::ClientCodec> NewCodec(ClusterUse& use, http::ClientEvents& events) {
  if (use.config->protocol == ClusterConfig::Protocol::kHttp2) {
    const std::string_view scheme = use.config->security == nullptr ? "http" : "https";
    return std::make_unique<http::h2::ClientCodec>(events, use.limits, scheme);
  }
  return std::make_unique<http::h1::ClientCodec>(use.limits, events, &use.pool);
}

}  // namespace

Endpoint::Endpoint(ClusterUse& use, const net::Address& address)
    : use_(use), address_(address), name_(address.ToString()) {}

Endpoint::~Endpoint() {
  ForgetEjection();
  const Error error{ErrorKind::kDestinationUnavailable, true, "the cluster is gone"};
  RefuseWaiters(SIZE_MAX, error);
  while (Connection* connection = available_.front())
    connection->Close(error);
  while (Connection* connection = busy_.front())
    connection->Close(error);
}

Connection* Endpoint::Available() {
  while (Connection* connection = available_.front()) {
    if (connection->CanSend() > 0) return connection;
    Connections::Remove(*connection);
    busy_.PushFront(*connection);
  }
  return nullptr;
}

bool Endpoint::CanWait() const {
  return !removed_ && (use_.HasRoom() || OnTheirWay() > line_.size());
}

void Endpoint::Wait(Waiter& waiter) {
  PORTICO_CHECK(!removed_);  // that there is room may have changed: other workers take it too
  line_.Join(waiter);
  ConnectForWaiters();
}

// The room is taken before it joins: who finds that another worker was faster must not be in a line without a place.
bool Endpoint::WaitForNew(Waiter& waiter) {
  if (removed_ || line_.size() < OnTheirWay() || !use_.slots.TryTake(use_.config->connections_max)) return false;
  line_.Join(waiter);
  Connect();
  return true;
}

// How many waiters the connections that are being made can serve. HTTP/2 connections are shared: one serves all, or as
// many as its origin lets it.
size_t Endpoint::OnTheirWay() const {
  const bool shared = use_.config->protocol == ClusterConfig::Protocol::kHttp2;
  return shared && connecting_count_ > 0 ? SIZE_MAX : connecting_count_;
}

void Endpoint::ConnectForWaiters() {
  while (!removed_ && line_.size() > OnTheirWay() && use_.slots.TryTake(use_.config->connections_max))
    Connect();
  if (line_.size() <= OnTheirWay()) return;
  // Nothing will come for them: they take what is free first, wherever it is.
  line_.MoveTo(use_.line, OnTheirWay());
  use_.slots.Wait(use_.config->connections_max);
}

bool Endpoint::CloseIdle(const Error& error) {
  Connection* oldest = nullptr;
  for (Connection* connection = available_.front(); connection != nullptr; connection = available_.Next(*connection))
    if (connection->Idle()) oldest = connection;
  if (oldest != nullptr) oldest->Close(error);
  return oldest != nullptr;
}

// A full one if there is one: nobody here is about to use it.
bool Endpoint::DrainOne() {
  Connection* last = nullptr;
  for (Connections* list : {&available_, &busy_}) {
    for (Connection* connection = list->front(); connection != nullptr; connection = list->Next(*connection))
      if (connection->used() && !connection->draining()) last = connection;
  }
  if (last != nullptr) last->Drain();
  return last != nullptr;
}

size_t Endpoint::DrainingCount() {
  size_t count = 0;
  for (Connections* list : {&available_, &busy_}) {
    for (Connection* connection = list->front(); connection != nullptr; connection = list->Next(*connection))
      count += connection->draining() ? 1 : 0;
  }
  return count;
}

void Endpoint::Renew() {
  for (Connections* list : {&available_, &busy_}) {
    for (Connection* connection = list->front(); connection != nullptr; connection = list->Next(*connection))
      connection->Drain();
  }
}

void Endpoint::Remove() {
  removed_ = true;
  ForgetEjection();
  verdict_ = nullptr;
  RefuseWaiters(SIZE_MAX, {ErrorKind::kDestinationUnavailable, true, "the endpoint was removed"});
  const Error error{ErrorKind::kConnectionTerminated, true, "the endpoint was removed"};
  for (Connections* list : {&available_, &busy_}) {
    for (Connection* connection = list->front(); connection != nullptr;) {
      Connection* next = list->Next(*connection);
      if (connection->Idle()) {
        connection->Close(error);
      } else {
        connection->Drain();
      }
      connection = next;
    }
  }
}

void Endpoint::Connect() {
  std::unique_ptr<net::ByteStream> stream = use_.network.Connect(address_);
  if (use_.config->security != nullptr) stream = use_.config->security->Wrap(std::move(stream), use_.loop);
  auto* connection = new Connection(use_.loop, use_.pool, std::move(stream), *this,
                                    {.connect_timeout = use_.config->connect_timeout,
                                     .idle_timeout = use_.config->connection_idle_timeout,
                                     .http2 = use_.config->protocol == ClusterConfig::Protocol::kHttp2,
                                     .security = use_.config->security});
  connection->SetCodec(NewCodec(use_, connection->events()));
  busy_.PushFront(*connection);
  ++connection_count_;
  ++connecting_count_;
}

void Endpoint::OnOpened(Connection& connection) {
  --connecting_count_;
  failures_ = 0;
  rests_until_ = {};
  if (use_.observer != nullptr) use_.observer->OnConnections(use_.config->name, 1);
  File(connection);
}

void Endpoint::OnAvailable(Connection& connection) {
  File(connection);
}

// Another worker waits for what nobody here needs, or has less than this one.
bool Endpoint::BelongsToOthers(const Connection& connection) const {
  if (!connection.Idle() || !use_.slots.OthersWait()) return false;
  if (line_.empty() && use_.line.empty()) return true;
  return connection.used() && use_.slots.OwesOne();
}

// What waits here, if anything does, waits behind the others.
void Endpoint::GiveUp(Connection& connection) {
  use_.slots.StopWaiting();
  connection.Close({ErrorKind::kConnectionTerminated, true, "another worker needs the connection more"});
  if (!use_.line.empty()) use_.slots.Wait(use_.config->connections_max);
}

// Puts the connection where it belongs, after those who wait have had their turn.
void Endpoint::File(Connection& connection) {
  if (BelongsToOthers(connection)) return GiveUp(connection);
  if (Ejected() && connection.Idle() && line_.empty() && !use_.line.empty()) {
    return connection.Close({ErrorKind::kConnectionTerminated, true, "the endpoint is ejected"});
  }
  ServeWaiters(connection);
  Connections::Remove(connection);
  if (connection.CanSend() == 0) {
    busy_.PushFront(connection);
    return ConnectForWaiters();
  }
  available_.PushFront(connection);
  CloseSurplus();
}

// The one used longest ago goes first; it is also the one that the origin is likeliest to close.
void Endpoint::CloseSurplus() {
  if (connection_count_ <= use_.config->idle_connections_max) return;
  size_t idle = 0;
  for (Connection* connection = available_.front(); connection != nullptr; connection = available_.Next(*connection))
    idle += connection->Idle() ? 1 : 0;
  if (idle > use_.config->idle_connections_max) {
    CloseIdle({ErrorKind::kConnectionTerminated, true, "more connections are idle than the pool keeps"});
  }
}

void Endpoint::ServeWaiters(Connection& connection) {
  for (WaitingLine* line : {&line_, &use_.line}) {
    if (line == &use_.line && Ejected()) return;  // those there are not here for this endpoint
    while (connection.CanSend() > 0 && !line->empty())
      line->TakeFirst()->OnConnection(*this, connection);
  }
}

// Those who are told may come back to wait again: only those who wait now are told.
void Endpoint::RefuseWaiters(size_t count, const Error& error) {
  for (count = std::min(count, line_.size()); count > 0 && !line_.empty(); --count)
    line_.TakeFirst()->OnNoConnection(*this, error);
}

void Endpoint::OnClosed(Connection& connection, bool opened, const Error& error) {
  Connections::Remove(connection);
  --connection_count_;
  use_.slots.Return();
  use_.loop.DeleteLater(std::unique_ptr<event::Deletable>(&connection));
  if (opened) {
    if (use_.observer != nullptr) use_.observer->OnConnections(use_.config->name, -1);
  } else {
    --connecting_count_;
    Failed();
    if (line_.size() > OnTheirWay()) RefuseWaiters(line_.size() - OnTheirWay(), error);
  }
  ConnectForWaiters();
}

// Connections that were begun together fail together: that is one failure.
void Endpoint::Failed() {
  if (Rests()) return;
  base::Duration rest = kFirstRest;
  for (int i = 0; i < failures_ && rest < kLongestRest; ++i)
    rest *= 2;
  rests_until_ = use_.loop.Now() + std::min(rest, kLongestRest);
  ++failures_;
}

// Who gets no requests is none of those whose share may be ejected, nor of those who are.
void Endpoint::UpdateVerdict(bool serves) {
  const bool is_judged = use_.config->ejection && serves;
  if (is_judged && verdict_ == nullptr) verdict_ = use_.verdicts->Of(name_);
  if (is_judged) return;
  ForgetEjection();
  verdict_ = nullptr;
}

void Endpoint::OnCallOver(std::string_view outcome) {
  --calls_;
  if (verdict_ == nullptr) return;
  if (outcome == outcome::kSuccess) return verdict_->Succeeded();
  if (outcome == outcome::kServerError || outcome == outcome::kTimeout || outcome == outcome::kReset ||
      outcome == outcome::kProtocolError) {
    JudgeFailure();
  }
}

// Whoever ejects it says so, and says when it is back: each ejection is told once, whatever the number of workers.
void Endpoint::JudgeFailure() {
  const auto time = use_.verdicts->Failed(*verdict_, use_.loop.Now(), *use_.config->ejection, use_.serving_endpoints);
  if (!time) return;
  ForgetEjection();  // it is over, although its timer is yet to say so
  event::Timer::Handler& handler = *this;
  ejection_ends_.emplace(use_.loop.timers(), handler).Set(verdict_->until());
  if (use_.observer != nullptr) use_.observer->OnEjected(use_.config->name, name_, *time);
}

void Endpoint::OnTimer(event::Timer&) {
  ejection_ends_.reset();
  if (use_.observer != nullptr) use_.observer->OnEjectionOver(use_.config->name, name_, true);
}

void Endpoint::ForgetEjection() {
  if (!ejection_ends_) return;
  ejection_ends_.reset();
  if (use_.observer != nullptr) use_.observer->OnEjectionOver(use_.config->name, name_, false);
}

}  // namespace portico::upstream
