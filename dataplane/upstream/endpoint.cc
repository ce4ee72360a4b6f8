#include "dataplane/upstream/endpoint.h"

#include <algorithm>
#include <utility>

#include "dataplane/http/h1/client_codec.h"
#include "dataplane/http/h2/client_codec.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {
namespace {

using call::Error;
using call::ErrorKind;

std::unique_ptr<http::ClientCodec> NewCodec(ClusterUse& use, http::ClientEvents& events) {
  if (use.config->protocol == ClusterConfig::Protocol::kHttp2) {
    return std::make_unique<http::h2::ClientCodec>(events, use.limits);
  }
  return std::make_unique<http::h1::ClientCodec>(use.limits, events, &use.pool);
}

}  // namespace

Endpoint::Endpoint(ClusterUse& use, const net::Address& address)
    : use_(use), address_(address), name_(address.ToString()) {}

Endpoint::~Endpoint() {
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

bool Endpoint::Wait(Waiter& waiter) {
  if (use_.pending >= use_.config->pending_max) return false;
  if (connection_count_ == 0 && use_.connections >= use_.config->connections_max) return false;
  waiters_.PushBack(waiter);
  ++pending_count_;
  ++use_.pending;
  ConnectForWaiters();
  return true;
}

// HTTP/2 connections are shared: one on its way serves all who wait, or as many as its origin lets it.
void Endpoint::ConnectForWaiters() {
  const bool shared = use_.config->protocol == ClusterConfig::Protocol::kHttp2;
  const size_t enough = shared ? std::min<size_t>(pending_count_, 1) : pending_count_;
  if (!removed_ && connecting_count_ < enough && use_.connections < use_.config->connections_max) Connect();
}

void Endpoint::Left(Waiter& waiter) {
  if (!waiter.linked()) return;
  waiter.Unlink();
  --pending_count_;
  --use_.pending;
}

void Endpoint::Remove() {
  removed_ = true;
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
                                    {use_.config->connect_timeout, use_.config->connection_idle_timeout});
  connection->SetCodec(NewCodec(use_, connection->events()));
  busy_.PushFront(*connection);
  ++connection_count_;
  ++connecting_count_;
  ++use_.connections;
}

void Endpoint::OnOpened(Connection& connection) {
  --connecting_count_;
  failures_ = 0;
  rests_until_ = {};
  File(connection);
}

void Endpoint::OnAvailable(Connection& connection) {
  File(connection);
}

// Puts the connection where it belongs, after those who wait have had their turn.
void Endpoint::File(Connection& connection) {
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
  size_t idle = 0;
  for (Connection* connection = available_.front(); connection != nullptr; connection = available_.Next(*connection)) {
    if (connection->Idle()) ++idle;
  }
  Connection* oldest = available_.back();
  if (idle > use_.config->idle_connections_max && oldest->Idle()) {
    oldest->Close({ErrorKind::kConnectionTerminated, true, "more connections are idle than the pool keeps"});
  }
}

void Endpoint::ServeWaiters(Connection& connection) {
  while (connection.CanSend() > 0) {
    Waiter* waiter = waiters_.front();
    if (waiter == nullptr) return;
    Left(*waiter);
    waiter->OnConnection(connection);
  }
}

void Endpoint::RefuseWaiters(size_t count, const Error& error) {
  // Those who are told may come back to wait again: only those who wait now are told.
  for (count = std::min(count, pending_count_); count > 0 && !waiters_.empty(); --count) {
    Waiter* waiter = waiters_.front();
    Left(*waiter);
    waiter->OnNoConnection(error);
  }
}

void Endpoint::OnClosed(Connection& connection, bool opened, const Error& error) {
  Connections::Remove(connection);
  --connection_count_;
  --use_.connections;
  use_.loop.DeleteLater(std::unique_ptr<event::Deletable>(&connection));
  if (opened) {
    // Whoever waited for a busy connection to become free needs another one now.
    return ConnectForWaiters();
  }
  --connecting_count_;
  Failed();
  const bool shared = use_.config->protocol == ClusterConfig::Protocol::kHttp2;
  RefuseWaiters(shared || connection_count_ == 0 ? SIZE_MAX : 1, error);
}

void Endpoint::Failed() {
  base::Duration rest = kFirstRest;
  for (int i = 0; i < failures_ && rest < kLongestRest; ++i)
    rest *= 2;
  rests_until_ = use_.loop.Now() + std::min(rest, kLongestRest);
  ++failures_;
}

}  // namespace portico::upstream
