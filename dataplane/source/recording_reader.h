#ifndef PORTICO_DATAPLANE_SOURCE_RECORDING_READER_H_
#define PORTICO_DATAPLANE_SOURCE_RECORDING_READER_H_

#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/yaml/read.h"
#include "dataplane/crypto/digest.h"

namespace portico::source {

// Passes on what another reader reads, and remembers it: which files, and a digest of all there was in them. Equal
// digests: the same files were read with the same result.
class RecordingReader : public yaml::FileReader {
 public:
  // `files` outlives it.
  explicit RecordingReader(yaml::FileReader& files) : files_(files) {}

  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override { return files_.List(path); }

  // Also those that could not be read.
  const std::set<std::string>& paths() const { return paths_; }
  const crypto::Sha256Digest& digest() const { return digest_; }

 private:
  yaml::FileReader& files_;
  std::set<std::string> paths_;
  crypto::Sha256Digest digest_{};
};

}  // namespace portico::source

#endif  // PORTICO_DATAPLANE_SOURCE_RECORDING_READER_H_
