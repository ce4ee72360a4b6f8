#ifndef PORTICO_TEST_SUPPORT_SIM_SIM_CONNECTION_H_
#define PORTICO_TEST_SUPPORT_SIM_SIM_CONNECTION_H_

#include <sys/uio.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"
#include "dataplane/net/byte_stream.h"
#include "test/support/sim/fault_plan.h"
#include "test/support/sim/sim_world.h"

namespace portico::sim {

class SimStream;

// A connection as the kernels on both sides and the wire between them hold it. Side 0 connected, side 1 accepts. Owned
// by the world; it ends when both sides' streams are gone and nothing is under way.
//
//   Write → outgoing (send buffer) → pieces, after a latency → the other side's incoming (receive buffer) → Read
class SimConnection {
 public:
  SimConnection(SimWorld& world, uint64_t id, const FaultPlan& plan, const net::Address& client,
                const net::Address& server);

  uint64_t id() const { return id_; }
  const net::Address& address_of(int side) const { return sides_[side].address; }
  void Trace(int side, std::string_view what) const;
  bool Finished() const { return sides_[0].gone && sides_[1].gone; }

  // The stream of a side, which its destructor takes away again.
  void Attach(int side, SimStream& stream);
  // The owner closes: a FIN behind what was written, or a reset.
  void Close(int side, bool abort);

  // Begins the handshake for side 0's stream.
  void Connect();

  net::IoResult Read(int side, char* into, size_t size);
  net::IoResult Write(int side, const struct iovec* vectors, int count);
  void ShutdownWrite(int side);

 private:
  struct Side {
    net::Address address;
    SimStream* stream = nullptr;
    bool gone = false;     // its stream has been destroyed
    bool reset = false;    // it has been told, or would be
    std::string outgoing;  // written, not delivered
    std::string incoming;  // delivered, not read
    bool fin_written = false;
    bool fin_arrived = false;  // at this side, from the other
    bool delivering = false;   // an event that takes from outgoing is under way
  };

  void FinishConnecting();
  void ConnectionRefused();
  void ScheduleDelivery(int from);
  void Deliver(int from);
  void Reset(int side);
  void Arrived(int side);
  base::Duration Latency() { return world_.Between(plan_.latency_min, plan_.latency_max); }
  bool Reached(const std::optional<uint64_t>& bytes) const { return bytes && delivered_bytes_ >= *bytes; }

  SimWorld& world_;
  const uint64_t id_;
  const FaultPlan plan_;
  Side sides_[2];
  uint64_t delivered_bytes_ = 0;
};

}  // namespace portico::sim

#endif  // PORTICO_TEST_SUPPORT_SIM_SIM_CONNECTION_H_
