#include "dataplane/crypto/boring_key_pair.h"

#include "dataplane/crypto/key_pair.h"

namespace portico::crypto {

absl::Status BoringKeyPairChecker::Check(std::string_view certificate_pem, std::string_view private_key_pem) const {
  return KeyPair::Parse(certificate_pem, private_key_pem).status();
}

}  // namespace portico::crypto
