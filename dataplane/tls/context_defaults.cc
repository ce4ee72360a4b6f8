#include "dataplane/tls/context_defaults.h"

#include <openssl/ssl.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

#include "api/base/check.h"
#include "api/base/text.h"
#include "dataplane/crypto/boring_error.h"
#include "dataplane/tls/session.h"

namespace portico::tls {

ssl_ctx_st* NewContext() {
  SSL_CTX* context = SSL_CTX_new(TLS_method());
  // X25519 first: this BoringSSL is built without its assembly for P-256.
  constexpr char kGroups[] = "X25519:P-256:P-384";
  // TLS 1.2 with forward secrecy and AEAD only (RFC 9325 section 4.2); TLS 1.3 has nothing else.
  constexpr char kCiphers[] =
      "[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-RSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305|"
      "ECDHE-RSA-CHACHA20-POLY1305]:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384";
  PORTICO_CHECK(context != nullptr && SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
                SSL_CTX_set_max_proto_version(context, TLS1_3_VERSION) && SSL_CTX_set1_curves_list(context, kGroups) &&
                SSL_CTX_set_strict_cipher_list(context, kCiphers));
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_max_cert_list(context, Session::kHandshakeBytesMax);
  // What is written arrives from buffers that move.
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return context;
}

absl::Status UseKeyPair(ssl_ctx_st* context, const crypto::KeyPair& pair) {
  std::vector<bssl::UniquePtr<CRYPTO_BUFFER>> owners;
  std::vector<CRYPTO_BUFFER*> chain;
  for (const std::string& der : pair.certificates()) {
    owners.emplace_back(CRYPTO_BUFFER_new(reinterpret_cast<const uint8_t*>(der.data()), der.size(), nullptr));
    chain.push_back(owners.back().get());
  }
  CBS bytes;
  CBS_init(&bytes, reinterpret_cast<const uint8_t*>(pair.private_key().data()), pair.private_key().size());
  bssl::UniquePtr<EVP_PKEY> key(EVP_parse_private_key(&bytes));
  if (key != nullptr && SSL_CTX_set_chain_and_key(context, chain.data(), chain.size(), key.get(), nullptr)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      base::ToAbsl(base::Concat("certificate: ", crypto::TakeBoringError("can't be used"))));
}

std::optional<std::string> AlpnList(const std::vector<std::string>& names) {
  std::string list;
  for (const std::string& name : names) {
    if (name.empty() || name.size() > 255) return std::nullopt;
    list.push_back(static_cast<char>(name.size()));
    list += name;
  }
  return list;
}

}  // namespace portico::tls
