#include "controlplane/crypto/certificates.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#ifdef OPENSSL_IS_BORINGSSL
#error "these are not OpenSSL's headers"
#endif

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/check/pem.h"

namespace portico::openssl {
namespace {

bool IsCertificate(const std::string& der) {
  const auto* next = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = next + der.size();
  X509* certificate = d2i_X509(nullptr, &next, static_cast<long>(der.size()));
  const bool whole = certificate != nullptr && next == end;
  X509_free(certificate);
  ERR_clear_error();
  return whole;
}

}  // namespace

absl::Status CheckCertificates(std::string_view pem, size_t count_max) {
  const absl::StatusOr<std::vector<std::string>> texts = check::ParseCertificatesPem(pem, count_max);
  if (!texts.ok()) return texts.status();
  for (size_t i = 0; i < texts->size(); ++i) {
    if (IsCertificate((*texts)[i])) continue;
    return absl::InvalidArgumentError(
        base::ToAbsl(base::Concat("certificate: number ", i + 1, " is not an X.509 certificate")));
  }
  return absl::OkStatus();
}

}  // namespace portico::openssl
