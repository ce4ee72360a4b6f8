#ifndef PORTICO_TEST_SUPPORT_SIM_SIM_NETWORK_H_
#define PORTICO_TEST_SUPPORT_SIM_SIM_NETWORK_H_

#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/net/byte_stream.h"
#include "dataplane/net/network.h"
#include "test/support/sim/sim_connection.h"
#include "test/support/sim/sim_loop.h"
#include "test/support/sim/sim_world.h"

namespace portico::sim {

// One end of a SimConnection. Announces as the real one does: OnReadable once after a kWouldBlock, OnWritable once
// after a kWouldBlock or a short Write. A short read means nothing here: reading goes on until kWouldBlock.
class SimStream final : public net::ByteStream, private Ready {
 public:
  SimStream(SimWorld& world, SimLoop& loop, SimConnection& connection, int side, bool open);
  ~SimStream() override;

  void set_handler(net::ByteStream::Handler* handler) override;
  bool open() const override { return state_ == State::kOpen; }
  net::IoResult Read(char* into, size_t size) override;
  net::IoResult Write(const struct iovec* vectors, int count) override;
  void ShutdownWrite() override;
  void AbortOnClose() override { abort_ = true; }
  const net::Address& peer() const override;
  const net::Address& local() const override;
  std::string error() const override { return error_; }

 private:
  friend class SimConnection;
  enum class State { kConnecting, kOpen, kFailed };

  void Dispatch() override;
  // From the connection; the handler hears of it in the loop's next turn.
  void Connected(std::string_view error);
  void BecameReadable();
  void BecameWritable();

  SimWorld& world_;
  SimLoop& loop_;
  SimConnection& connection_;
  const int side_;
  State state_;
  net::ByteStream::Handler* handler_ = nullptr;
  std::string error_;
  bool connected_ = false;  // OnOpen is due
  bool readable_ = false;   // there is news, and who waits for it will be told
  bool writable_ = false;
  bool announce_readable_ = true;
  bool announce_writable_ = false;
  bool shutdown_on_open_ = false;
  bool abort_ = false;
};

class SimAcceptor final : public net::Acceptor, private Ready {
 public:
  SimAcceptor(SimWorld& world, SimLoop& loop, const net::Address& local, const net::ListenOptions& options,
              net::Acceptor::Handler& handler);
  ~SimAcceptor() override;

  const net::Address& local() const override { return local_; }
  void Pause() override { paused_ = true; }
  void Resume() override;
  void Drain() override;

  bool shares_port() const { return options_.share_port; }
  // From a connection whose handshake is done. False: the queue is full.
  bool Enqueue(SimConnection& connection);

 private:
  void Dispatch() override;
  void AcceptOne();
  void Stop();

  SimWorld& world_;
  SimLoop& loop_;
  const net::Address local_;
  const net::ListenOptions options_;
  net::Acceptor::Handler& handler_;
  std::deque<uint64_t> queue_;  // ids of connections
  bool paused_ = false;
  bool stopped_ = false;
};

// The network of one loop on one host. Addresses are the same for everybody: whoever listens on 127.0.0.1 is reached by
// all. Listening on 0.0.0.0 or :: means the host's own address.
class SimNetwork final : public net::Network {
 public:
  // World and loop outlive it.
  SimNetwork(SimWorld& world, SimLoop& loop, std::string_view host_ip);

  std::unique_ptr<net::ByteStream> Connect(const net::Address& address) override;
  absl::StatusOr<std::unique_ptr<net::Acceptor>> Listen(const net::Address& address, const net::ListenOptions& options,
                                                        net::Acceptor::Handler& handler) override;
  absl::Status ProbePort(const net::Address& address) override;

 private:
  net::Address OnHost(const net::Address& address) const;

  SimWorld& world_;
  SimLoop& loop_;
  const net::Address host_;
};

}  // namespace portico::sim

#endif  // PORTICO_TEST_SUPPORT_SIM_SIM_NETWORK_H_
