#include "controlplane/north/server_certificates.h"

#include <utility>

#include "api/base/text.h"
#include "api/yaml/disk.h"
#include "controlplane/crypto/certificates.h"

namespace portico::north {
namespace {

using base::Concat;
using base::ToAbsl;
using base::ToStd;

constexpr size_t kClientCasMax = 100;  // whoever may sign a client is named on purpose: this is no system's bundle

absl::Status Wrong(std::string_view what, const absl::Status& status) {
  return absl::Status(status.code(), ToAbsl(Concat(what, ": ", ToStd(status.message()))));
}

}  // namespace

ServerCertificates::ServerCertificates(TlsFiles files, const check::KeyPairChecker& key_pairs)
    : files_(std::move(files)), key_pairs_(key_pairs) {}

absl::StatusOr<Certificates> ServerCertificates::ReadFiles() const {
  yaml::DiskReader disk;
  Certificates read;
  for (const auto& [flag, file, text] :
       {std::tuple{"--tls_cert", &files_.certificate, &read.chain}, std::tuple{"--tls_key", &files_.key, &read.key},
        std::tuple{"--client_ca", &files_.client_ca, &read.client_ca}}) {
    absl::StatusOr<std::string> content = disk.Read(*file, check::kPemBytesMax);
    if (!content.ok()) return Wrong(flag, content.status());
    *text = *std::move(content);
  }
  return read;
}

absl::Status ServerCertificates::Check(const Certificates& certificates) const {
  if (absl::Status status = key_pairs_.Check(certificates.chain, certificates.key); !status.ok()) {
    return Wrong(Concat("--tls_cert=", files_.certificate, " with --tls_key=", files_.key), status);
  }
  if (absl::Status status = openssl::CheckCertificates(certificates.client_ca, kClientCasMax); !status.ok()) {
    return Wrong(Concat("--client_ca=", files_.client_ca), status);
  }
  return absl::OkStatus();
}

absl::StatusOr<Certificates> ServerCertificates::Read() const {
  absl::StatusOr<Certificates> read = ReadFiles();
  if (!read.ok()) return read;
  if (absl::Status status = Check(*read); !status.ok()) return status;
  return read;
}

absl::StatusOr<std::optional<Certificates>> ServerCertificates::ReadNews() {
  absl::MutexLock lock(&mutex_);
  const absl::StatusOr<Certificates> read = ReadFiles();
  if (!read.ok()) {
    if (read.status() == last_error_) return std::nullopt;
    return last_error_ = read.status();
  }
  last_error_ = absl::OkStatus();
  if (last_ == *read) return std::nullopt;
  last_ = *read;
  if (absl::Status status = Check(*read); !status.ok()) return status;
  return last_;
}

}  // namespace portico::north
