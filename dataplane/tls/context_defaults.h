#ifndef PORTICO_DATAPLANE_TLS_CONTEXT_DEFAULTS_H_
#define PORTICO_DATAPLANE_TLS_CONTEXT_DEFAULTS_H_

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "dataplane/crypto/key_pair.h"

struct ssl_ctx_st;

namespace portico::tls {

// What server and client contexts have in common. Private to this folder.

// A context of the versions, ciphers and groups that this proxy speaks. The caller owns it.
ssl_ctx_st* NewContext();

// What the context's own side shows of itself.
absl::Status UseKeyPair(ssl_ctx_st* context, const crypto::KeyPair& pair);

// Protocol names as ALPN writes them (RFC 7301 section 3.1). nullopt: a name that is empty or over 255 bytes.
std::optional<std::string> AlpnList(const std::vector<std::string>& names);

}  // namespace portico::tls

#endif  // PORTICO_DATAPLANE_TLS_CONTEXT_DEFAULTS_H_
