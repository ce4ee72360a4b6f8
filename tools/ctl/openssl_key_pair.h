#ifndef PORTICO_TOOLS_CTL_OPENSSL_KEY_PAIR_H_
#define PORTICO_TOOLS_CTL_OPENSSL_KEY_PAIR_H_

#include <string_view>

#include "absl/status/status.h"
#include "api/check/key_pair.h"

namespace portico::ctl {

// porticoctl's implementation, by OpenSSL 3 (which it has through libgrpc). Never linked with BoringSSL. Stateless.
class OpensslKeyPairChecker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view certificate_pem, std::string_view private_key_pem) const override;
};

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_OPENSSL_KEY_PAIR_H_
