#ifndef PORTICO_TEST_SIMULATION_CLIENT_H_
#define PORTICO_TEST_SIMULATION_CLIENT_H_

#include <deque>
#include <memory>
#include <string_view>

#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/network.h"
#include "test/simulation/client_exchange.h"
#include "test/simulation/judge.h"

namespace portico::simulation {

// The world of a client. All of it outlives the client.
struct ClientParts {
  event::Loop& loop;
  net::Network& network;
  net::Address proxy;
  Judge& judge;
};

// A client with a list of exchanges to make, over one connection at a time: what both protocols have in common. It
// lives on its loop. `Step` is its heartbeat: begin what is due, write, read.
class Client : protected event::Timer::Handler, protected net::ByteStream::Handler, protected ClientExchange::Owner {
 public:
  Client(const ClientParts& parts, std::deque<Script> scripts);
  ~Client() override = default;

  // Begins nothing new.
  void Stop() { scripts_.clear(); }
  // Nothing is under way and nothing will be. The connection may still stand.
  bool done() const { return scripts_.empty() && under_way() == 0; }
  // Closes it.
  void Close() { Disconnect(/*abort=*/false); }

 protected:
  virtual size_t under_way() const = 0;
  // May another exchange begin on the connection now?
  virtual bool CanBegin() const = 0;
  // The connection is there to be used, or never will be (any more): everything on it is over.
  virtual void OnConnected() = 0;
  virtual void OnDisconnected(bool excused) = 0;
  virtual void BeginExchange(std::unique_ptr<ClientExchange> exchange) = 0;
  virtual void OnBytes(std::string_view bytes) = 0;
  // Bytes to be written, as many as there are.
  virtual std::string_view Output() = 0;
  virtual void Written(size_t bytes) = 0;
  // How it takes what comes next.
  virtual Script::Pace ReadPace() const = 0;
  // The peer has ended its side.
  virtual void OnEndOfStream() {}
  virtual void OnStep() {}

  bool connected() const { return stream_ != nullptr; }
  void Disconnect(bool abort, bool excused = false);
  // The heart beats then, at the latest.
  void StepAt(base::MonotonicTime time);
  void StepSoon() { StepAt(parts_.loop.Now()); }
  void Write();
  const ClientParts& parts() const { return parts_; }
  base::Random& random() { return parts_.judge.world().random(); }

 private:
  void OnTimer(event::Timer& timer) override { Step(); }
  void OnOpen(bool ok) override;
  void OnReadable() override;
  void OnWritable() override { Write(); }
  void Step();
  void BeginDue();
  void Read();

  const ClientParts parts_;
  std::deque<Script> scripts_;
  event::Timer timer_;
  base::MonotonicTime next_begin_;
  base::MonotonicTime connect_deadline_;
  base::MonotonicTime next_drip_;
  size_t dripped_bytes_ = 0;  // since then
  std::unique_ptr<net::ByteStream> stream_;
  bool open_ = false;
  bool readable_ = false;
};

}  // namespace portico::simulation

#endif  // PORTICO_TEST_SIMULATION_CLIENT_H_
