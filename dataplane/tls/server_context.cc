#include "dataplane/tls/server_context.h"

#include <openssl/mem.h>
#include <openssl/ssl.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include <cstring>
#include <unordered_map>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/tls/context_defaults.h"

namespace portico::tls {
namespace {

using base::Concat;

// What the callbacks of a context need. It belongs to the SSL_CTX, so it lives as long as the last session does.
struct ContextData {
  TicketKeys ticket_keys;
  std::string alpn;  // as ALPN writes it
  ServerContext::Fallback without_name = ServerContext::Fallback::kFirstCertificate;
  ServerContext::Fallback unknown_name = ServerContext::Fallback::kFirstCertificate;
  // Only of the first context, which sessions begin in. nullptr: that context itself.
  std::unordered_map<std::string, SSL_CTX*> by_name;
  std::vector<bssl::UniquePtr<SSL_CTX>> others;
};

void FreeContextData(void*, void* data, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<ContextData*>(data);
}

int DataIndex() {
  static const int index = SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, FreeContextData);
  return index;
}

const ContextData& DataOf(const SSL* ssl) {
  return *static_cast<const ContextData*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), DataIndex()));
}

std::string_view View(const uint8_t* bytes, size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

size_t TicketOverhead(SSL*) {
  return TicketKeys::kOverheadBytes;
}

int SealTicket(SSL* ssl, uint8_t* out, size_t* out_size, size_t size_max, const uint8_t* in, size_t size) {
  const std::string ticket = DataOf(ssl).ticket_keys.Seal(View(in, size));
  if (ticket.size() > size_max) return 0;
  std::memcpy(out, ticket.data(), ticket.size());
  *out_size = ticket.size();
  return 1;
}

ssl_ticket_aead_result_t OpenTicket(SSL* ssl, uint8_t* out, size_t* out_size, size_t size_max, const uint8_t* in,
                                    size_t size) {
  std::optional<std::string> state = DataOf(ssl).ticket_keys.Open(View(in, size));
  if (!state || state->size() > size_max) return ssl_ticket_aead_ignore_ticket;
  std::memcpy(out, state->data(), state->size());
  *out_size = state->size();
  OPENSSL_cleanse(state->data(), state->size());
  return ssl_ticket_aead_success;
}

constexpr SSL_TICKET_AEAD_METHOD kTicketMethod = {TicketOverhead, SealTicket, OpenTicket};

// No protocol in common: go on without ALPN, which means HTTP/1.1 (as RFC 9113 section 3.3 is read by everyone; the
// alert of RFC 7301 section 3.2 would shut out clients that name only http/1.0).
int ChooseProtocol(SSL* ssl, const uint8_t** out, uint8_t* out_size, const uint8_t* offered, unsigned offered_size,
                   void*) {
  const std::string& ours = DataOf(ssl).alpn;
  uint8_t* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, reinterpret_cast<const uint8_t*>(ours.data()),
                            static_cast<unsigned>(ours.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

// The context for a name; nullptr: none has it.
SSL_CTX* FindContext(const ContextData& data, std::string_view name, SSL_CTX* first) {
  auto found = data.by_name.find(base::LowerAscii(name));
  if (found == data.by_name.end()) {
    const size_t dot = name.find('.');
    if (dot == name.npos || dot == 0) return nullptr;
    found = data.by_name.find(Concat("*", base::LowerAscii(name.substr(dot))));
  }
  if (found == data.by_name.end()) return nullptr;
  return found->second == nullptr ? first : found->second;
}

// Runs on the session's first context, before anything else is decided.
int ChooseCertificate(SSL* ssl, int* alert, void*) {
  const ContextData& data = DataOf(ssl);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* first = SSL_get_SSL_CTX(ssl);
  SSL_CTX* chosen = name == nullptr ? nullptr : FindContext(data, name, first);
  if (chosen == nullptr) {
    const ServerContext::Fallback fallback = name == nullptr ? data.without_name : data.unknown_name;
    *alert = SSL_AD_UNRECOGNIZED_NAME;
    return fallback == ServerContext::Fallback::kRefuse ? SSL_TLSEXT_ERR_ALERT_FATAL : SSL_TLSEXT_ERR_NOACK;
  }
  if (chosen != first) SSL_set_SSL_CTX(ssl, chosen);
  return SSL_TLSEXT_ERR_OK;
}

absl::StatusOr<bssl::UniquePtr<SSL_CTX>> MakeContext(const ServerContext::Options& options, const std::string& alpn,
                                                     const crypto::KeyPair& pair) {
  bssl::UniquePtr<SSL_CTX> context(NewContext());
  if (absl::Status status = UseKeyPair(context.get(), pair); !status.ok()) return status;
  auto data = std::make_unique<ContextData>();
  data->ticket_keys = options.ticket_keys;
  data->alpn = alpn;
  data->without_name = options.without_name;
  data->unknown_name = options.unknown_name;
  PORTICO_CHECK(SSL_CTX_set_ex_data(context.get(), DataIndex(), data.release()));
  SSL_CTX_set_ticket_aead_method(context.get(), &kTicketMethod);
  // A second ticket serves clients that open several connections at once; ours multiplex. It costs a seal and a send.
  SSL_CTX_set_num_tickets(context.get(), 1);
  SSL_CTX_set_alpn_select_cb(context.get(), ChooseProtocol, nullptr);
  return context;
}

}  // namespace

absl::StatusOr<std::unique_ptr<ServerContext>> ServerContext::Create(Options options) {
  if (options.certificates.empty()) return absl::InvalidArgumentError("a TLS listener needs a certificate");
  if (options.certificates.size() > kCertificatesMax) {
    return absl::InvalidArgumentError(base::ToAbsl(Concat("more than ", kCertificatesMax, " certificates")));
  }
  const std::optional<std::string> alpn = AlpnList(options.alpn);
  if (!alpn) return absl::InvalidArgumentError("an ALPN name has not 1 to 255 bytes");
  bssl::UniquePtr<SSL_CTX> first;
  ContextData* data = nullptr;
  for (const Certificate& certificate : options.certificates) {
    absl::StatusOr<bssl::UniquePtr<SSL_CTX>> context = MakeContext(options, *alpn, certificate.key_pair);
    if (!context.ok()) return context.status();
    SSL_CTX* named = context->get();
    if (first == nullptr) {
      first = *std::move(context);
      data = static_cast<ContextData*>(SSL_CTX_get_ex_data(first.get(), DataIndex()));
      SSL_CTX_set_tlsext_servername_callback(first.get(), ChooseCertificate);
      named = nullptr;  // a context that held itself would never be freed
    } else {
      data->others.push_back(*std::move(context));
    }
    const auto& names = certificate.names.empty() ? certificate.key_pair.dns_names() : certificate.names;
    for (const std::string& name : names)
      data->by_name.emplace(name, named);
  }
  return std::unique_ptr<ServerContext>(new ServerContext(first.release()));
}

ServerContext::~ServerContext() {
  SSL_CTX_free(context_);
}

std::unique_ptr<Session> ServerContext::NewSession() const {
  std::unique_ptr<Session> session(new Session(context_));
  SSL_set_accept_state(session->ssl_);
  return session;
}

}  // namespace portico::tls
