#ifndef PORTICO_CONTROLPLANE_CRYPTO_KEY_PAIR_H_
#define PORTICO_CONTROLPLANE_CRYPTO_KEY_PAIR_H_

#include <string_view>

#include "absl/status/status.h"
#include "api/check/key_pair.h"

namespace portico::openssl {

// The implementation of the control plane and of porticoctl, by OpenSSL 3 (which they have through libgrpc). Never
// linked with BoringSSL. Stateless.
class KeyPairChecker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view certificate_pem, std::string_view private_key_pem) const override;
};

}  // namespace portico::openssl

#endif  // PORTICO_CONTROLPLANE_CRYPTO_KEY_PAIR_H_
