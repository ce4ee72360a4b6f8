#ifndef PORTICO_DATAPLANE_TLS_SERVER_CONTEXT_H_
#define PORTICO_DATAPLANE_TLS_SERVER_CONTEXT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "dataplane/crypto/key_pair.h"
#include "dataplane/tls/session.h"
#include "dataplane/tls/ticket_keys.h"

namespace portico::tls {

// What a TLS listener needs to answer handshakes: TLS 1.2 and 1.3, forward-secret AEAD ciphers, X25519 before P-256,
// tickets and no session cache. Immutable; all workers use one. A session holds what it needs, so it may outlive the
// context it came from.
//
//   absl::StatusOr<std::unique_ptr<ServerContext>> context = ServerContext::Create(std::move(options));
//   std::unique_ptr<Session> session = (*context)->NewSession();
//
// The certificate is chosen by the name in the ClientHello (RFC 6066 section 3): the one that has exactly this name, or
// else the one with the wildcard for its first label (RFC 9525 section 6.3: one label, the leftmost, whole).
class ServerContext {
 public:
  static constexpr size_t kCertificatesMax = 1000;  // each is a context of its own

  struct Certificate {
    crypto::KeyPair key_pair;
    // Names it is offered for, in lower case, `*.` for wildcards. Empty: the certificate's own DNS names.
    std::vector<std::string> names;
  };
  // For clients that name no host, or one that no certificate has.
  enum class Fallback {
    kFirstCertificate,  // as nginx and Envoy do; the client then judges the name
    kRefuse,            // alert unrecognized_name (112)
  };
  struct Options {
    std::vector<Certificate> certificates;  // 1 to kCertificatesMax; of two for one name the first one counts
    TicketKeys ticket_keys = TicketKeys::Generate();
    std::vector<std::string> alpn = {"h2", "http/1.1"};  // in the order of our preference
    Fallback without_name = Fallback::kFirstCertificate;
    Fallback unknown_name = Fallback::kFirstCertificate;
  };

  static absl::StatusOr<std::unique_ptr<ServerContext>> Create(Options options);
  ~ServerContext();
  ServerContext(const ServerContext&) = delete;
  ServerContext& operator=(const ServerContext&) = delete;

  std::unique_ptr<Session> NewSession() const;

 private:
  explicit ServerContext(ssl_ctx_st* context) : context_(context) {}

  ssl_ctx_st* const context_;
};

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_SERVER_CONTEXT_H_
