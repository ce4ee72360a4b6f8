#include "test/support/sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::sim {

// --- SimStream

SimStream::SimStream(SimWorld& world, SimLoop& loop, SimConnection& connection, int side, bool open)
    : world_(world),
      loop_(loop),
      connection_(connection),
      side_(side),
      state_(open ? State::kOpen : State::kConnecting) {
  ++world_.live_streams_;
  connection_.Attach(side_, *this);
}

SimStream::~SimStream() {
  --world_.live_streams_;
  connection_.Close(side_, abort_);
}

const net::Address& SimStream::peer() const {
  return connection_.address_of(1 - side_);
}
const net::Address& SimStream::local() const {
  return connection_.address_of(side_);
}

void SimStream::set_handler(net::ByteStream::Handler* handler) {
  handler_ = handler;
  if (handler_ != nullptr && (connected_ || readable_ || writable_)) loop_.AddReady(*this);
}

void SimStream::Connected(std::string_view error) {
  error_ = error;
  connected_ = true;
  loop_.AddReady(*this);
}

void SimStream::BecameReadable() {
  readable_ = true;
  if (announce_readable_) loop_.AddReady(*this);
}

void SimStream::BecameWritable() {
  writable_ = true;
  if (announce_writable_) loop_.AddReady(*this);
}

// Each of them may turn the stream to another handler, or to none.
void SimStream::Dispatch() {
  if (handler_ == nullptr || state_ == State::kFailed) return;
  if (std::exchange(connected_, false)) {
    const bool ok = error_.empty() || error_ == "connection reset by peer";
    connection_.Trace(side_, ok ? "hears that it is open" : "hears that it failed");
    state_ = ok ? State::kOpen : State::kFailed;
    if (ok && shutdown_on_open_) connection_.ShutdownWrite(side_);
    writable_ = true;
    handler_->OnOpen(ok);
  }
  if (state_ != State::kOpen) return;
  if (handler_ != nullptr && readable_ && announce_readable_) {
    readable_ = announce_readable_ = false;
    connection_.Trace(side_, "hears that it is readable");
    handler_->OnReadable();
  }
  if (handler_ != nullptr && writable_ && announce_writable_) {
    writable_ = announce_writable_ = false;
    connection_.Trace(side_, "hears that it is writable");
    handler_->OnWritable();
  }
}

net::IoResult SimStream::Read(char* into, size_t size) {
  PORTICO_CHECK(size > 0);
  if (state_ == State::kFailed) return {net::IoStatus::kFailed};
  if (state_ == State::kConnecting) {
    announce_readable_ = true;
    return {net::IoStatus::kWouldBlock};
  }
  const net::IoResult result = connection_.Read(side_, into, size);
  if (result.status == net::IoStatus::kWouldBlock) {
    announce_readable_ = true;
    readable_ = false;
  }
  return result;
}

net::IoResult SimStream::Write(const struct iovec* vectors, int count) {
  PORTICO_CHECK(count > 0);
  if (state_ == State::kFailed) return {net::IoStatus::kFailed};
  size_t total = 0;
  for (int i = 0; i < count; ++i)
    total += vectors[i].iov_len;
  const net::IoResult result = state_ == State::kConnecting ? net::IoResult{net::IoStatus::kWouldBlock}
                                                            : connection_.Write(side_, vectors, count);
  if (result.status == net::IoStatus::kFailed && error_.empty()) error_ = "broken pipe";
  if (result.status == net::IoStatus::kWouldBlock || (result.status == net::IoStatus::kOk && result.bytes < total)) {
    announce_writable_ = true;
    writable_ = false;
  }
  return result;
}

void SimStream::ShutdownWrite() {
  if (state_ == State::kConnecting) shutdown_on_open_ = true;
  if (state_ == State::kOpen) connection_.ShutdownWrite(side_);
}

// --- SimAcceptor

SimAcceptor::SimAcceptor(SimWorld& world, SimLoop& loop, const net::Address& local, const net::ListenOptions& options,
                         net::Acceptor::Handler& handler)
    : world_(world), loop_(loop), local_(local), options_(options), handler_(handler) {
  ++world_.live_acceptors_;
  world_.AcceptorsAt(local_).push_back(this);
}

SimAcceptor::~SimAcceptor() {
  Stop();
  --world_.live_acceptors_;
}

bool SimAcceptor::Enqueue(SimConnection& connection) {
  if (queue_.size() > static_cast<size_t>(options_.backlog)) return false;
  queue_.push_back(connection.id());
  loop_.AddReady(*this);
  return true;
}

void SimAcceptor::Resume() {
  paused_ = false;
  if (!queue_.empty()) loop_.AddReady(*this);
}

void SimAcceptor::Dispatch() {
  for (int i = 0; i < kAcceptsPerTurnMax && !paused_ && !queue_.empty(); ++i)
    AcceptOne();
  if (!paused_ && !queue_.empty()) loop_.AddReady(*this);
}

void SimAcceptor::AcceptOne() {
  SimConnection* connection = world_.FindConnection(queue_.front());
  queue_.pop_front();
  PORTICO_CHECK(connection != nullptr);
  connection->Trace(1, base::Concat("is accepted by ", loop_.name()));
  handler_.OnAccept(std::make_unique<SimStream>(world_, loop_, *connection, 1, /*open=*/true));
}

void SimAcceptor::Drain() {
  while (!queue_.empty())
    AcceptOne();
  Stop();
}

// What waits in the queue is reset, as the kernel does it.
void SimAcceptor::Stop() {
  if (std::exchange(stopped_, true)) return;
  std::erase(world_.AcceptorsAt(local_), this);
  for (uint64_t id : std::exchange(queue_, {}))
    world_.FindConnection(id)->Close(1, /*abort=*/true);
}

// --- SimNetwork

SimNetwork::SimNetwork(SimWorld& world, SimLoop& loop, std::string_view host_ip)
    : world_(world), loop_(loop), host_(net::Address::Parse(host_ip, 0).value()) {}

net::Address SimNetwork::OnHost(const net::Address& address) const {
  const std::string ip = address.ip();
  return ip == "0.0.0.0" || ip == "::" ? host_.WithPort(address.port()) : address;
}

std::unique_ptr<net::ByteStream> SimNetwork::Connect(const net::Address& address) {
  const FaultPlan plan = world_.choose_plan_ ? world_.choose_plan_(address, world_.random()) : FaultPlan();
  const uint64_t id = world_.next_id_++;
  auto owned = std::make_unique<SimConnection>(world_, id, plan, host_.WithPort(world_.NextPort()), OnHost(address));
  SimConnection& connection = *owned;
  world_.connections_[id] = std::move(owned);
  auto stream = std::make_unique<SimStream>(world_, loop_, connection, 0, /*open=*/false);
  connection.Connect();
  return stream;
}

absl::StatusOr<std::unique_ptr<net::Acceptor>> SimNetwork::Listen(const net::Address& address,
                                                                  const net::ListenOptions& options,
                                                                  net::Acceptor::Handler& handler) {
  net::Address local = OnHost(address);
  if (local.port() == 0) local = local.WithPort(world_.NextPort());
  for (const SimAcceptor* other : world_.AcceptorsAt(local))
    if (!options.share_port || !other->shares_port())
      return absl::AlreadyExistsError(base::ToAbsl(base::Concat(address.ToString(), ": address in use")));
  return std::make_unique<SimAcceptor>(world_, loop_, local, options, handler);
}

absl::Status SimNetwork::ProbePort(const net::Address& address) {
  if (address.port() == 0 || world_.AcceptorsAt(OnHost(address)).empty()) return absl::OkStatus();
  return absl::AlreadyExistsError(base::ToAbsl(base::Concat(address.ToString(), ": address in use")));
}

}  // namespace portico::sim
