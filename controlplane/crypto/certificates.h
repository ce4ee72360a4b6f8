#ifndef PORTICO_CONTROLPLANE_CRYPTO_CERTIFICATES_H_
#define PORTICO_CONTROLPLANE_CRYPTO_CERTIFICATES_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace portico::openssl {

// Whether a text is 1 to `count_max` PEM blocks of X.509 certificates: who may sign others. kInvalidArgument: which one
// is none. Dates and signatures are not looked at.
absl::Status CheckCertificates(std::string_view pem, size_t count_max);

}  // namespace portico::openssl

#endif  // PORTICO_CONTROLPLANE_CRYPTO_CERTIFICATES_H_
