#include "test/support/sim/sim_connection.h"

#include <algorithm>
#include <vector>

#include "api/base/check.h"
#include "api/base/text.h"
#include "test/support/sim/sim_network.h"

namespace portico::sim {

namespace {

// For the trace: which bytes they were.
uint64_t Hash(std::string_view bytes) {
  uint64_t hash = 0;
  for (char c : bytes)
    hash = hash * 31 + static_cast<uint8_t>(c);
  return hash;
}

}  // namespace

SimConnection::SimConnection(SimWorld& world, uint64_t id, const FaultPlan& plan, const net::Address& client,
                             const net::Address& server)
    : world_(world), id_(id), plan_(plan) {
  sides_[0].address = client;
  sides_[1].address = server;
  sides_[1].gone = true;  // until the handshake is done
}

void SimConnection::Trace(int side, std::string_view what) const {
  world_.Trace(base::Concat("connection ", id_, side == 0 ? " client " : " server ", what));
}

void SimConnection::Attach(int side, SimStream& stream) {
  sides_[side].stream = &stream;
  if (!sides_[side].incoming.empty() || sides_[side].fin_arrived || sides_[side].reset) stream.BecameReadable();
}

void SimConnection::Connect() {
  Trace(0, base::Concat("connects to ", sides_[1].address.ToString()));
  if (plan_.connect == FaultPlan::Connect::kNeverAnswers) return;
  world_.After(Latency(), [world = &world_, id = id_] {
    if (SimConnection* connection = world->FindConnection(id)) connection->FinishConnecting();
  });
}

void SimConnection::FinishConnecting() {
  if (sides_[0].gone) return;
  const std::vector<SimAcceptor*>& acceptors = world_.AcceptorsAt(sides_[1].address);
  if (plan_.connect == FaultPlan::Connect::kRefused || acceptors.empty()) return ConnectionRefused();
  // SO_REUSEPORT chooses by a hash of the addresses.
  if (!acceptors[world_.random().Below(acceptors.size())]->Enqueue(*this)) return;  // the SYN is dropped: no answer
  sides_[1].gone = false;
  Trace(0, "is connected");
  sides_[0].stream->Connected("");
  if (Reached(plan_.reset_after_bytes)) {
    Reset(0);
    Reset(1);
  }
}

void SimConnection::ConnectionRefused() {
  Trace(0, "is refused");
  sides_[1].gone = true;
  sides_[0].stream->Connected("connection refused");
}

void SimConnection::Close(int side, bool abort) {
  Side& mine = sides_[side];
  Trace(side, abort ? "aborts" : "closes");
  mine.stream = nullptr;
  mine.gone = true;
  // As TCP does: closing with bytes unread tells the peer that they were lost.
  if (abort || !mine.incoming.empty()) {
    mine.outgoing.clear();
    Reset(1 - side);
  } else if (!mine.reset) {
    mine.fin_written = true;
    ScheduleDelivery(side);
    // What the other side has under way will meet a closed socket.
    if (!sides_[1 - side].outgoing.empty()) ScheduleDelivery(1 - side);
  }
  world_.Forget(*this);
}

net::IoResult SimConnection::Read(int side, char* into, size_t size) {
  Side& mine = sides_[side];
  if (mine.incoming.empty()) {
    if (mine.reset) return {net::IoStatus::kFailed};
    return {mine.fin_arrived ? net::IoStatus::kEnd : net::IoStatus::kWouldBlock};
  }
  size_t count = std::min(size, mine.incoming.size());
  if (plan_.short_read_one_in > 0 && world_.Chance(plan_.short_read_one_in)) count = 1 + world_.random().Below(count);
  std::copy_n(mine.incoming.data(), count, into);
  mine.incoming.erase(0, count);
  ScheduleDelivery(1 - side);
  return {net::IoStatus::kOk, count};
}

net::IoResult SimConnection::Write(int side, const struct iovec* vectors, int count) {
  Side& mine = sides_[side];
  if (mine.reset || mine.fin_written) return {net::IoStatus::kFailed};
  size_t size = 0;
  for (int i = 0; i < count; ++i)
    size += vectors[i].iov_len;
  PORTICO_CHECK(size > 0);
  const size_t room = plan_.send_buffer_bytes - std::min(plan_.send_buffer_bytes, mine.outgoing.size());
  if (room == 0) return {net::IoStatus::kWouldBlock};
  size_t taken = std::min(room, size);
  if (plan_.short_write_one_in > 0 && world_.Chance(plan_.short_write_one_in)) taken = 1 + world_.random().Below(taken);
  size_t left = taken;  // only that is looked at: much is written in vain, again and again
  for (int i = 0; i < count && left > 0; ++i) {
    const size_t part = std::min<size_t>(left, vectors[i].iov_len);
    mine.outgoing.append(static_cast<const char*>(vectors[i].iov_base), part);
    left -= part;
  }
  ScheduleDelivery(side);
  return {net::IoStatus::kOk, taken};
}

void SimConnection::ShutdownWrite(int side) {
  if (sides_[side].reset || sides_[side].fin_written) return;
  Trace(side, "ends its side");
  sides_[side].fin_written = true;
  ScheduleDelivery(side);
}

// One piece at a time, so that they arrive in order.
void SimConnection::ScheduleDelivery(int from) {
  Side& sender = sides_[from];
  Side& receiver = sides_[1 - from];
  if (sender.delivering || sender.reset || Reached(plan_.stall_after_bytes)) return;
  if (sender.outgoing.empty() && (!sender.fin_written || receiver.fin_arrived)) return;
  const bool full = !receiver.gone && receiver.incoming.size() >= plan_.receive_buffer_bytes;
  if (full && !sender.outgoing.empty()) return;  // goes on when the receiver reads
  sender.delivering = true;
  world_.After(Latency(), [world = &world_, id = id_, from] {
    if (SimConnection* connection = world->FindConnection(id)) connection->Deliver(from);
  });
}

void SimConnection::Deliver(int from) {
  Side& sender = sides_[from];
  Side& receiver = sides_[1 - from];
  sender.delivering = false;
  if (sender.reset || receiver.reset) return;
  if (receiver.gone && !sender.outgoing.empty()) {
    Reset(from);  // nobody reads there any more
    return;
  }
  if (!sender.outgoing.empty()) {
    const size_t room = plan_.receive_buffer_bytes - std::min(plan_.receive_buffer_bytes, receiver.incoming.size());
    const size_t limit = std::min({sender.outgoing.size(), plan_.piece_bytes_max, room});
    const size_t count = 1 + world_.random().Below(limit);
    const std::string_view piece(sender.outgoing.data(), count);
    Trace(1 - from, base::Concat("gets ", count, " bytes #", Hash(piece)));
    receiver.incoming.append(piece);
    sender.outgoing.erase(0, count);
    delivered_bytes_ += count;
    if (sender.stream != nullptr) sender.stream->BecameWritable();
  }
  if (sender.outgoing.empty() && sender.fin_written && !receiver.fin_arrived) {
    Trace(1 - from, "gets the end");
    receiver.fin_arrived = true;
  }
  Arrived(1 - from);
  if (Reached(plan_.reset_after_bytes)) {
    Reset(0);
    Reset(1);
  }
  ScheduleDelivery(from);
}

// What was delivered before may be lost with it, or not: both happen.
void SimConnection::Reset(int side) {
  Side& mine = sides_[side];
  if (mine.reset || mine.gone) return;
  Trace(side, "gets a reset");
  mine.reset = true;
  mine.outgoing.clear();
  if (world_.Chance(2)) mine.incoming.clear();
  Arrived(side);
  if (mine.stream != nullptr) {
    mine.stream->error_ = "connection reset by peer";
    mine.stream->BecameWritable();
  }
}

void SimConnection::Arrived(int side) {
  if (sides_[side].stream != nullptr) sides_[side].stream->BecameReadable();
}

}  // namespace portico::sim
