#include "api/check/resource/secret.h"

#include <string>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/check/pem.h"
#include "api/check/resource/jwks.h"

namespace portico::check {
namespace {

using portico::v1::DataSource;

constexpr size_t kCaCertificatesMax = 1000;  // the system's bundle has about 140
constexpr size_t kJwksBytesMax = 65536;

// Is the text there to be looked at?
bool IsThere(const DataSource& source, const std::string& path, size_t bytes_max, Report& report) {
  if (source.source_case() == DataSource::kFile) {
    report.Add(path + ".file", "must have been read by whoever reads the configuration; what travels is inline");
    return false;
  }
  if (source.inline_().starts_with("sha256:")) {
    report.Add(path, "is a digest, as the API shows what it holds, and not the text itself");
    return false;
  }
  if (source.inline_().empty() || source.inline_().size() > bytes_max) {
    report.Add(path, base::Concat("must be inline text of 1 to ", bytes_max, " bytes"));
    return false;
  }
  return true;
}

void Judge(const absl::Status& status, std::string path, Report& report) {
  if (!status.ok()) report.Add(std::move(path), std::string(base::ToStd(status.message())));
}

void Pair(const portico::v1::TlsKeyPair& pair, const KeyPairChecker* key_pairs, Report& report) {
  // What is missing altogether is the bounds' to say.
  if (!pair.has_certificate() || !pair.has_private_key()) return;
  const bool certificate = IsThere(pair.certificate(), "spec.tls.certificate", kPemBytesMax, report);
  const bool key = IsThere(pair.private_key(), "spec.tls.privateKey", kPemBytesMax, report);
  if (!certificate || !key || key_pairs == nullptr) return;
  Judge(key_pairs->Check(pair.certificate().inline_(), pair.private_key().inline_()), "spec.tls", report);
}

}  // namespace

void CheckSecret(const portico::v1::SecretSpec& spec, const KeyPairChecker* key_pairs, Report& report) {
  if (spec.has_tls() + spec.has_jwks() + spec.has_ca_certificates() + spec.has_hmac_key() != 1) {
    return report.Add("spec", "must hold exactly one of tls, jwks and caCertificates");
  }
  if (spec.has_tls()) Pair(spec.tls(), key_pairs, report);
  if (spec.has_jwks() && IsThere(spec.jwks(), "spec.jwks", kJwksBytesMax, report)) {
    Judge(CheckJwks(spec.jwks().inline_()), "spec.jwks", report);
  }
  if (spec.has_ca_certificates() && IsThere(spec.ca_certificates(), "spec.caCertificates", kPemBytesMax, report)) {
    Judge(ParseCertificatesPem(spec.ca_certificates().inline_(), kCaCertificatesMax).status(), "spec.caCertificates",
          report);
  }
}

}  // namespace portico::check
