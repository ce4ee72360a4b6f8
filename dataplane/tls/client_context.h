#ifndef PORTICO_DATAPLANE_TLS_CLIENT_CONTEXT_H_
#define PORTICO_DATAPLANE_TLS_CLIENT_CONTEXT_H_

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/base/time.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/tls/session.h"

namespace portico::tls {

// How connections to an origin are encrypted: TLS 1.2 and 1.3, the certificate verified against trusted roots and the
// host's name. Immutable; all workers use one. Sessions are not resumed: pools keep connections, which saves more.
//
//   absl::StatusOr<std::unique_ptr<ClientContext>> context = ClientContext::Create({.ca_certificates_pem = text});
//   std::unique_ptr<Session> session = (*context)->NewSession({.host = "orders.internal", .alpn = {"h2"}}, now);
//
// Verified means: the chain leads to a root of `ca_certificates_pem`, is valid at `now`, and the certificate has the
// host among its DNS names or IP addresses (RFC 9525; the common name does not count).
class ClientContext {
 public:
  static constexpr size_t kCaCertificatesMax = 1000;  // the system's bundle has about 140

  struct Options {
    // PEM. nullopt: the system's roots, from kSystemRootsPath.
    std::optional<std::string> ca_certificates_pem;
    // True: any certificate is taken, so anyone on the way can read and change all. Must be written by the user.
    bool skip_verification = false;
    // What we show to a server that asks who we are. nullopt: nothing.
    std::optional<crypto::KeyPair> key_pair = std::nullopt;
  };
  static constexpr char kSystemRootsPath[] = "/etc/ssl/certs/ca-certificates.crt";

  struct Peer {
    std::string host;  // a DNS name (sent as SNI) or an IP address (RFC 6066 section 3: not sent)
    std::vector<std::string> alpn = {"http/1.1"};  // offered, in this order; empty: no ALPN
  };

  static absl::StatusOr<std::unique_ptr<ClientContext>> Create(const Options& options);
  ~ClientContext();
  ClientContext(const ClientContext&) = delete;
  ClientContext& operator=(const ClientContext&) = delete;

  // `peer.host` that is neither a DNS name nor an IP address gives a session that has failed.
  std::unique_ptr<Session> NewSession(const Peer& peer, base::WallTime now) const;

 private:
  explicit ClientContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* const context_;
};

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_CLIENT_CONTEXT_H_
