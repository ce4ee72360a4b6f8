#ifndef PORTICO_DATAPLANE_UPSTREAM_ORIGIN_TLS_H_
#define PORTICO_DATAPLANE_UPSTREAM_ORIGIN_TLS_H_

#include <memory>
#include <optional>
#include <string>

#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/stream_security.h"

namespace portico::upstream {

// TLS to the origin servers of one cluster, verified for `host`. `alpn` ("h2" or "http/1.1") is the one protocol that
// is offered.
class OriginTls final : public StreamSecurity {
 public:
  OriginTls(std::unique_ptr<const tls::ClientContext> context, std::string host, std::string alpn);
  std::unique_ptr<net::ByteStream> Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop& loop) const override;
  call::Error WhyNotOpen(const net::ByteStream& stream) const override;
  std::optional<call::Error> WhyRefused(const net::ByteStream& stream) const override;

 private:
  const std::unique_ptr<const tls::ClientContext> context_;
  const std::string host_;
  const std::string alpn_;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_ORIGIN_TLS_H_
