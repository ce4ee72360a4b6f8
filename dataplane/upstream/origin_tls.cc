#include "dataplane/upstream/origin_tls.h"

#include <utility>

#include "dataplane/tls/tls_stream.h"

namespace portico::upstream {
namespace {

// One for each thread, for the streams of its worker: it holds nothing between two calls.
tls::Scratch& ThreadScratch() {
  static thread_local tls::Scratch scratch;
  return scratch;
}

call::Error AlertReceived() {
  return {call::ErrorKind::kTlsAlertReceived, true, "the origin refused the TLS handshake"};
}

}  // namespace

OriginTls::OriginTls(std::unique_ptr<const tls::ClientContext> context, std::string host, std::string alpn)
    : context_(std::move(context)), host_(std::move(host)), alpn_(std::move(alpn)) {}

std::unique_ptr<net::ByteStream> OriginTls::Wrap(std::unique_ptr<net::ByteStream> stream, event::Loop& loop) const {
  auto session = context_->NewSession({.host = host_, .alpn = {alpn_}}, loop.WallNow());
  return std::make_unique<tls::TlsStream>(std::move(stream), std::move(session), ThreadScratch());
}

// RFC 9209 section 2.3. Nothing of a request has left: another try is safe whatever it was.
call::Error OriginTls::WhyNotOpen(const net::ByteStream& stream) const {
  using call::ErrorKind;
  const auto& tls = static_cast<const tls::TlsStream&>(stream);
  if (!tls.handshake_begun()) return NotConnected();
  switch (tls.session().error().code()) {
    case absl::StatusCode::kUnauthenticated:
      return {ErrorKind::kTlsCertificateError, true, "the origin's certificate is refused"};
    case absl::StatusCode::kUnavailable:
      return AlertReceived();
    case absl::StatusCode::kInvalidArgument:
      return {ErrorKind::kTlsProtocolError, true, "the TLS handshake with the origin failed"};
    default:
      return {ErrorKind::kConnectionTerminated, true, "the origin ended the connection within the TLS handshake"};
  }
}

// RFC 8446 section 4.4.2.4: such as a client certificate that it wants and we have not. An origin that answers nothing
// but an alert may still have read the request: another try is not safe.
std::optional<call::Error> OriginTls::WhyRefused(const net::ByteStream& stream) const {
  const auto& tls = static_cast<const tls::TlsStream&>(stream);
  if (tls.session().error().code() != absl::StatusCode::kUnavailable) return std::nullopt;
  call::Error error = AlertReceived();
  error.retry_safe = false;
  return error;
}

}  // namespace portico::upstream
