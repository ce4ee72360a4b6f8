#include "dataplane/crypto/boring_error.h"

#include <openssl/err.h>
#ifndef OPENSSL_IS_BORINGSSL
#error "these are not BoringSSL's headers"
#endif

namespace portico::crypto {

std::string TakeBoringError(const char* otherwise) {
  const uint32_t code = ERR_get_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? otherwise : reason;
}

}  // namespace portico::crypto
