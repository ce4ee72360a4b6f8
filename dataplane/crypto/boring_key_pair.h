#ifndef PORTICO_DATAPLANE_CRYPTO_BORING_KEY_PAIR_H_
#define PORTICO_DATAPLANE_CRYPTO_BORING_KEY_PAIR_H_

#include <string_view>

#include "absl/status/status.h"
#include "api/check/key_pair.h"

namespace portico::crypto {

// The proxy's implementation, by BoringSSL: accepted is exactly what KeyPair::Parse can read. Stateless.
class BoringKeyPairChecker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view certificate_pem, std::string_view private_key_pem) const override;
};

}  // namespace portico::crypto

#endif  // PORTICO_DATAPLANE_CRYPTO_BORING_KEY_PAIR_H_
