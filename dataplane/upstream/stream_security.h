#ifndef PORTICO_DATAPLANE_UPSTREAM_STREAM_SECURITY_H_
#define PORTICO_DATAPLANE_UPSTREAM_STREAM_SECURITY_H_

#include <memory>
#include <optional>

#include "dataplane/call/error.h"
#include "dataplane/event/loop.h"
#include "dataplane/net/byte_stream.h"

namespace portico::upstream {

// Wraps a connection to an origin server in TLS: the returned stream reports OnOpen when the handshake is done and the
// origin's certificate and name have been verified. Immutable, shared by all workers.
class StreamSecurity {
 public:
  virtual ~StreamSecurity() = default;
  virtual std::unique_ptr<net::ByteStream> Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop& loop) const = 0;
  // Of a stream that Wrap made and that has said OnOpen(false).
  virtual call::Error WhyNotOpen(const net::ByteStream& stream) const = 0;
  // Of one that stood and failed before the origin had said anything: why the origin refused it after all. TLS 1.3 has
  // it judge our half of the handshake when ours is over. nullopt: it did not say.
  virtual std::optional<call::Error> WhyRefused(const net::ByteStream& stream) const = 0;
};

// Of a stream in clear.
inline call::Error NotConnected() {
  return {call::ErrorKind::kConnectionRefused, true, "no connection could be made"};
}

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_STREAM_SECURITY_H_
