#ifndef PORTICO_DATAPLANE_UPSTREAM_SIM_ORIGIN_FOR_TEST_H_
#define PORTICO_DATAPLANE_UPSTREAM_SIM_ORIGIN_FOR_TEST_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/random.h"
#include "dataplane/event/loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/http/codec.h"
#include "dataplane/net/network.h"
#include "test/support/sim/sim_loop.h"
#include "test/support/sim/sim_network.h"

namespace portico::upstream::for_test {

// An origin server in the simulation, with moods: it answers late, early, at once or never, refuses, closes, resets or
// talks nonsense. Each answer names its request (x-call) and has content made of one letter, so that a mix-up shows.
class SimOrigin final : private net::Acceptor::Handler {
 public:
  SimOrigin(sim::SimLoop& loop, sim::SimNetwork& network, const net::Address& address, bool http2,
            base::Random& random);
  ~SimOrigin() override;

  // How often a request's head came, but for those that were refused.
  const std::map<std::string, int>& taken() const { return taken_; }

  static char LetterOf(std::string_view call) { return static_cast<char>('a' + (call.back() - '0')); }

 private:
  class Peer;

  void OnAccept(std::unique_ptr<net::ByteStream> stream) override;
  void Remove(Peer& peer);

  sim::SimLoop& loop_;
  base::Random& random_;
  const http::Limits limits_;
  const bool http2_;
  std::map<std::string, int> taken_;
  std::vector<std::unique_ptr<Peer>> peers_;
  std::unique_ptr<net::Acceptor> acceptor_;
};

}  // namespace portico::upstream::for_test

#endif  // PORTICO_DATAPLANE_UPSTREAM_SIM_ORIGIN_FOR_TEST_H_
