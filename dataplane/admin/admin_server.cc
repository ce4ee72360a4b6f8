#include "dataplane/admin/admin_server.h"

#include <utility>

#include "dataplane/admin/admin_exchange.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/http/codec.h"

namespace portico::admin {

namespace {

// Requests here have no content and short heads.
constexpr http::Limits kLimits = {.head_bytes_max = 16 * 1024,
                                  .target_bytes_max = 1024,
                                  .stream_window_bytes = AdminExchange::kContentBytesMax,
                                  .connection_window_bytes = 4 * AdminExchange::kContentBytesMax,
                                  .streams_max = 10};
// A scraper that comes every minute keeps its connection.
constexpr downstream::Connection::Timeouts kTimeouts = {.request_head = std::chrono::seconds(5),
                                                        .idle = std::chrono::seconds(75)};

}  // namespace

// One address with its connections.
class AdminServer::Door final : private net::Acceptor::Handler, private downstream::Connection::Owner {
 public:
  Door(event::Loop& loop, base::BlockPool& pool, AdminView& view, const Access& access)
      : loop_(loop), pool_(pool), site_{loop, view, access} {}

  // Here connections die at once and not at the end of the turn: the pool may be gone by then.
  ~Door() override {
    acceptor_.reset();
    ending_ = true;
    while (downstream::Connection* connection = connections_.front()) {
      const std::unique_ptr<downstream::Connection> last(connection);
      connection->Close();
    }
  }

  absl::Status Listen(net::Network& network, const net::Address& address) {
    absl::StatusOr<std::unique_ptr<net::Acceptor>> acceptor =
        network.Listen(address, net::ListenOptions{.backlog = kConnectionsMax, .share_port = false}, *this);
    if (!acceptor.ok()) return acceptor.status();
    acceptor_ = *std::move(acceptor);
    return absl::OkStatus();
  }
  const net::Address& local() const { return acceptor_->local(); }

 private:
  void OnAccept(std::unique_ptr<net::ByteStream> stream) override {
    if (connection_count_ >= kConnectionsMax && !CloseOldestIdle()) return;
    downstream::Connection::Owner& owner = *this;
    connections_.PushBack(
        *new downstream::Connection(loop_, pool_, std::move(stream), owner, SharedLimits(), kTimeouts));
    ++connection_count_;
  }
  std::unique_ptr<downstream::ExchangeEvents> NewExchange(downstream::Connection& connection,
                                                          http::StreamId id) override {
    return std::make_unique<AdminExchange>(site_, connection, id);
  }
  void OnClosed(downstream::Connection& connection) override {
    Connections::Remove(connection);
    --connection_count_;
    if (!ending_) loop_.DeleteLater(std::unique_ptr<event::Deletable>(&connection));
  }

  bool CloseOldestIdle() {
    for (downstream::Connection* one = connections_.front(); one != nullptr; one = connections_.Next(*one)) {
      if (one->exchange_count() > 0) continue;
      one->Close();
      return true;
    }
    return false;
  }

  // Owned by nobody: they live for ever.
  static std::shared_ptr<const http::Limits> SharedLimits() { return {std::shared_ptr<void>(), &kLimits}; }

  using Connections = base::IntrusiveList<downstream::Connection, struct downstream::DownstreamTag>;

  event::Loop& loop_;
  base::BlockPool& pool_;
  AdminSite site_;
  Connections connections_;
  size_t connection_count_ = 0;
  bool ending_ = false;
  std::unique_ptr<net::Acceptor> acceptor_;
};

AdminServer::AdminServer(event::Loop& loop, net::Network& network, base::BlockPool& pool, AdminView& view)
    : loop_(loop), network_(network), pool_(pool), view_(view) {}

AdminServer::~AdminServer() = default;

absl::Status AdminServer::Listen(const net::Address& address, Pages pages, bool read_only) {
  auto door = std::make_unique<Door>(loop_, pool_, view_, Access{pages, read_only, address.IsLoopback()});
  if (absl::Status status = door->Listen(network_, address); !status.ok()) return status;
  doors_.push_back(std::move(door));
  return absl::OkStatus();
}

std::vector<net::Address> AdminServer::addresses() const {
  std::vector<net::Address> addresses;
  for (const std::unique_ptr<Door>& door : doors_)
    addresses.push_back(door->local());
  return addresses;
}

}  // namespace portico::admin
