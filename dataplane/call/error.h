#ifndef PORTICO_DATAPLANE_CALL_ERROR_H_
#define PORTICO_DATAPLANE_CALL_ERROR_H_

#include <cstdint>
#include <string_view>

namespace portico::call {

// What went wrong between us and the origin, in the words of RFC 9209 (proxy-status) section 2.3.
enum class ErrorKind : uint8_t {
  kDestinationUnavailable,  // no endpoint to ask
  kConnectionRefused,       // no connection could be made to any endpoint that was tried
  kConnectionTimeout,
  kConnectionTerminated,    // closed or reset before the response was whole
  kConnectionReadTimeout,   // no response head in time, or no progress
  kConnectionLimitReached,  // a limit of the cluster
  kHttpResponseTimeout,     // timeouts.backendRequest is over
  kHttpProtocolError,       // what came is no valid HTTP response, or breaks one of our limits
  kTlsProtocolError,        // the handshake broke TLS, or agreed on nothing that we speak
  kTlsCertificateError,     // the origin's certificate is not what the cluster asks for
  kTlsAlertReceived,        // the origin refused the handshake
};

// Whose it is, which the kind alone does not say: a timeout is the origin's only if it was the origin's turn.
enum class Fault : uint8_t {
  kOrigin,   // or of what lies between
  kCaller,   // it gave no more of the request, or took no more of the response
  kGateway,  // a limit of ours, or nobody to ask: more of the same would not help
};

struct Error {
  ErrorKind kind;
  // No byte of the request can have been processed: sending it again is safe whatever the method.
  bool retry_safe;
  // Static text for the log and proxy-status' details; never bytes of the peer.
  std::string_view detail;
  Fault fault = Fault::kOrigin;
};

// The value of proxy-status' error parameter: "connection_refused".
constexpr std::string_view ErrorName(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDestinationUnavailable:
      return "destination_unavailable";
    case ErrorKind::kConnectionRefused:
      return "connection_refused";
    case ErrorKind::kConnectionTimeout:
      return "connection_timeout";
    case ErrorKind::kConnectionTerminated:
      return "connection_terminated";
    case ErrorKind::kConnectionReadTimeout:
      return "connection_read_timeout";
    case ErrorKind::kConnectionLimitReached:
      return "connection_limit_reached";
    case ErrorKind::kHttpResponseTimeout:
      return "http_response_timeout";
    case ErrorKind::kHttpProtocolError:
      return "http_protocol_error";
    case ErrorKind::kTlsProtocolError:
      return "tls_protocol_error";
    case ErrorKind::kTlsCertificateError:
      return "tls_certificate_error";
    case ErrorKind::kTlsAlertReceived:
      return "tls_alert_received";
  }
  return "proxy_internal_error";
}

// The status that answers the client (RFC 9110 section 15.6).
constexpr int ErrorStatus(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kDestinationUnavailable:
    case ErrorKind::kConnectionLimitReached:
      return 503;
    case ErrorKind::kConnectionTimeout:
    case ErrorKind::kConnectionReadTimeout:
    case ErrorKind::kHttpResponseTimeout:
      return 504;
    default:
      return 502;
  }
}

}  // namespace portico::call

#endif  // PORTICO_DATAPLANE_CALL_ERROR_H_
