#ifndef PORTICO_CONTROLPLANE_NORTH_SERVER_CERTIFICATES_H_
#define PORTICO_CONTROLPLANE_NORTH_SERVER_CERTIFICATES_H_

#include <optional>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "api/check/key_pair.h"

namespace portico::north {

// Where a server's certificates are, each a PEM file.
struct TlsFiles {
  std::string certificate;  // --tls_cert: the chain, the server's own first
  std::string key;          // --tls_key
  std::string client_ca;    // --client_ca: who signs clients
};

// What is in them.
struct Certificates {
  std::string chain, key, client_ca;
  bool operator==(const Certificates&) const = default;
};

// The certificates of a server, read again whenever they may be needed. What is wrong in the files does not replace
// what was good. Any thread; it reads files.
//
//   ServerCertificates certificates(files, key_pairs);
//   absl::StatusOr<Certificates> first = certificates.Read();
//   …at each new connection:
//   absl::StatusOr<std::optional<Certificates>> news = certificates.ReadNews();
class ServerCertificates {
 public:
  // `key_pairs` must outlive this.
  ServerCertificates(TlsFiles files, const check::KeyPairChecker& key_pairs);

  // kInvalidArgument or the disk's error, naming flag and file.
  absl::StatusOr<Certificates> Read() const;

  // nullopt: nothing has changed since the last call. An error is told once.
  absl::StatusOr<std::optional<Certificates>> ReadNews();

 private:
  absl::StatusOr<Certificates> ReadFiles() const;
  absl::Status Check(const Certificates& certificates) const;

  const TlsFiles files_;
  const check::KeyPairChecker& key_pairs_;
  absl::Mutex mutex_;
  std::optional<Certificates> last_ ABSL_GUARDED_BY(mutex_);  // good or not
  absl::Status last_error_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace portico::north

#endif  // PORTICO_CONTROLPLANE_NORTH_SERVER_CERTIFICATES_H_
