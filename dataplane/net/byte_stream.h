#ifndef PORTICO_DATAPLANE_NET_BYTE_STREAM_H_
#define PORTICO_DATAPLANE_NET_BYTE_STREAM_H_

#include <sys/uio.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "dataplane/net/address.h"

namespace portico::net {

enum class IoStatus : uint8_t {
  kOk,
  kWouldBlock,  // nothing now; OnReadable or OnWritable will come
  kEnd,         // the peer has ended its side cleanly (FIN; for TLS: close_notify). Reading only
  kFailed,      // the connection is gone: reset, timed out, TLS error; see ByteStream::error()
};

struct IoResult {
  IoStatus status;
  size_t bytes = 0;  // > 0 exactly with kOk
};

// What is known of the TLS session around a stream; all empty in clear.
struct TlsInfo {
  std::string_view alpn;         // "h2", "http/1.1" or ""
  std::string_view server_name;  // from the client's SNI, lower case
  std::string_view version;      // "TLSv1.3"
};

// A connected, or connecting, non-blocking stream of bytes, with edge-triggered readiness: after OnReadable read until
// something other than kOk is returned (or remember that more may be there: nothing is announced again before a
// kWouldBlock was seen); the same for writing. Implementations: a TCP socket (socket_stream), TLS around another stream
// (tls/), and the simulation's. Destroying it closes the connection; it must not be destroyed inside its own callback
// (Loop::DeleteLater).
//
//   auto stream = network.Connect(address);   stream->set_handler(this);
//   → OnOpen(true) → Write… → OnReadable → Read until kWouldBlock → … → kEnd → ShutdownWrite → destroy
class ByteStream {
 public:
  class Handler {
   public:
    virtual ~Handler() = default;
    // Once, first of all: the connection (and the TLS handshake) stands, or has failed. An accepted stream in clear is
    // open from the start and gets no OnOpen (see open()).
    virtual void OnOpen(bool ok) = 0;
    virtual void OnReadable() = 0;
    virtual void OnWritable() = 0;
  };

  virtual ~ByteStream() = default;

  virtual void set_handler(Handler* handler) = 0;
  virtual bool open() const = 0;
  virtual IoResult Read(char* into, size_t size) = 0;
  // May take less than all; then the rest would block.
  virtual IoResult Write(const struct iovec* vectors, int count) = 0;
  // Ends our side after what was written. Reading goes on.
  virtual void ShutdownWrite() = 0;
  // Destruction will send a reset instead of a FIN, where the transport has such a thing (SO_LINGER 0).
  virtual void AbortOnClose() = 0;

  virtual const Address& peer() const = 0;
  virtual const Address& local() const = 0;
  virtual TlsInfo tls() const { return {}; }
  // Why it failed, for the log: "connection reset by peer". Never bytes of the peer.
  virtual std::string error() const = 0;
};

}  // namespace portico::net

#endif  // PORTICO_DATAPLANE_NET_BYTE_STREAM_H_
