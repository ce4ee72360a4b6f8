#ifndef PORTICO_DATAPLANE_NET_SOCKET_STREAM_H_
#define PORTICO_DATAPLANE_NET_SOCKET_STREAM_H_

#include <memory>
#include <string>

#include "dataplane/base/file_descriptor.h"
#include "dataplane/event/fd_event.h"
#include "dataplane/event/libevent_loop.h"
#include "dataplane/net/address.h"
#include "dataplane/net/byte_stream.h"
#include "dataplane/net/reset_check.h"

namespace portico::net {

// A TCP connection on a loop, registered once for its whole life.
//
// Only what was waited for is announced: OnReadable after a kWouldBlock of Read, OnWritable after a kWouldBlock or a
// short Write, so that a paused stream costs no callbacks. A read that did not fill its memory is known to have emptied
// the socket, and the next Read says kWouldBlock without a system call; except after the peer's FIN, which epoll
// reports once and possibly together with data: then it reads on until the end. (ResetCheck is for what that misses.)
class SocketStream final : public ByteStream, private event::FdEvent::Handler, private ResetCheck::Socket {
 public:
  // Takes over a socket that accept4 gave, non-blocking. `loop` and `resets` outlive the stream.
  static std::unique_ptr<SocketStream> Accepted(event::LibeventLoop& loop, ResetCheck& resets, base::FileDescriptor fd,
                                                const Address& peer, const Address& local);
  // Begins to connect; the outcome comes with OnOpen, never at once.
  static std::unique_ptr<SocketStream> Connecting(event::LibeventLoop& loop, ResetCheck& resets, const Address& peer);

  void set_handler(ByteStream::Handler* handler) override;
  bool open() const override { return state_ == State::kOpen; }
  IoResult Read(char* into, size_t size) override;
  IoResult Write(const struct iovec* vectors, int count) override;
  void ShutdownWrite() override;
  void AbortOnClose() override;
  const Address& peer() const override { return peer_; }
  const Address& local() const override { return local_; }
  std::string error() const override;

 private:
  //   kConnecting → kOpen | kFailed. A connection that stood and broke stays kOpen; error_ says so.
  enum class State : uint8_t { kConnecting, kOpen, kFailed };

  SocketStream(event::LibeventLoop& loop, ResetCheck& resets, base::FileDescriptor fd, State state, const Address& peer,
               const Address& local);
  void OnFdEvent(event::FdReadiness ready) override;
  void CheckForReset() override;
  void StartConnecting();
  void FinishConnecting();
  int ConnectError();
  IoResult Fail(int error);

  ResetCheck& resets_;
  base::FileDescriptor fd_;
  ByteStream::Handler* handler_ = nullptr;
  Address peer_;
  Address local_;
  int error_ = 0;  // errno of the first failure
  State state_;
  bool announce_readable_ = true;   // somebody waits for it
  bool announce_writable_ = false;  // the same
  bool emptied_ = false;            // the last read left nothing, and no event came since
  bool peer_ended_ = false;         // the peer's FIN is in the socket, perhaps behind data
  bool at_end_ = false;             // and has been read
  bool write_failed_ = false;
  bool shutdown_on_open_ = false;
  bool unannounced_ = false;  // an event came before there was a handler
  event::FdEvent event_;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_SOCKET_STREAM_H_
