#include "dataplane/tls/client_context.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <algorithm>

#include "api/base/text.h"
#include "api/check/pem.h"
#include "dataplane/crypto/boring_error.h"
#include "dataplane/tls/context_defaults.h"

namespace portico::tls {
namespace {

using base::Concat;

absl::Status Invalid(const std::string& text) {
  return absl::InvalidArgumentError(base::ToAbsl(text));
}

absl::Status AddRoots(SSL_CTX* context, const std::string& pem) {
  absl::StatusOr<std::vector<std::string>> roots = check::ParseCertificatesPem(pem, ClientContext::kCaCertificatesMax);
  if (!roots.ok()) return Invalid(Concat("CA ", base::ToStd(roots.status().message())));
  for (const std::string& der : *roots) {
    const uint8_t* next = reinterpret_cast<const uint8_t*>(der.data());
    bssl::UniquePtr<X509> root(d2i_X509(nullptr, &next, static_cast<long>(der.size())));
    if (root == nullptr || !X509_STORE_add_cert(SSL_CTX_get_cert_store(context), root.get())) {
      return Invalid(Concat("CA certificate number ", &der - roots->data() + 1, ": ",
                            crypto::TakeBoringError("is not an X.509 certificate")));
    }
  }
  return absl::OkStatus();
}

bool IsIpAddress(const std::string& host) {
  unsigned char address[sizeof(in6_addr)];
  return inet_pton(AF_INET, host.c_str(), address) == 1 || inet_pton(AF_INET6, host.c_str(), address) == 1;
}

// Letters, digits, '-', '_' and dots between: what SNI may carry (RFC 6066 section 3; '_' occurs inside of clusters).
bool IsDnsName(const std::string& host) {
  const auto valid = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return !host.empty() && host.size() <= 253 && std::ranges::all_of(host, valid) && !host.starts_with('.') &&
         !host.ends_with('.') && host.find("..") == host.npos;
}

// The host as the certificate must name it, and as SNI does.
bool SetHost(SSL* ssl, const std::string& host) {
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters,
                                  X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
  if (IsIpAddress(host)) return X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
  return IsDnsName(host) && X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size()) &&
         SSL_set_tlsext_host_name(ssl, host.c_str());
}

}  // namespace

absl::StatusOr<std::unique_ptr<ClientContext>> ClientContext::Create(const Options& options) {
  bssl::UniquePtr<SSL_CTX> context(NewContext());
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET);
  SSL_CTX_set_verify(context.get(), options.skip_verification ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nullptr);
  if (options.ca_certificates_pem) {
    if (absl::Status status = AddRoots(context.get(), *options.ca_certificates_pem); !status.ok()) return status;
  } else if (!options.skip_verification && !SSL_CTX_load_verify_locations(context.get(), kSystemRootsPath, nullptr)) {
    crypto::TakeBoringError("");
    return absl::NotFoundError(base::ToAbsl(Concat("can't read the system's CA certificates, ", kSystemRootsPath)));
  }
  if (options.key_pair) {
    if (absl::Status status = UseKeyPair(context.get(), *options.key_pair); !status.ok()) return status;
  }
  return std::unique_ptr<ClientContext>(new ClientContext(context.release()));
}

ClientContext::~ClientContext() {
  SSL_CTX_free(context_);
}

std::unique_ptr<Session> ClientContext::NewSession(const Peer& peer, base::WallTime now) const {
  std::unique_ptr<Session> session(new Session(context_));
  SSL* ssl = session->ssl_;
  SSL_set_connect_state(ssl);
  X509_VERIFY_PARAM_set_time(SSL_get0_param(ssl),
                             std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
  const std::optional<std::string> alpn = AlpnList(peer.alpn);
  if (!SetHost(ssl, peer.host) || !alpn ||
      SSL_set_alpn_protos(ssl, reinterpret_cast<const uint8_t*>(alpn->data()), static_cast<unsigned>(alpn->size())) !=
          0) {
    crypto::TakeBoringError("");
    session->state_ = Session::State::kFailed;
    session->error_ = absl::InvalidArgumentError("the host is neither a DNS name nor an IP address");
  }
  return session;
}

}  // namespace portico::tls
