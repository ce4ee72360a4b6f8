#include "dataplane/source/recording_reader.h"

#include <cstdint>
#include <string_view>

#include "api/base/text.h"

namespace portico::source {

absl::StatusOr<std::string> RecordingReader::Read(const std::string& path, size_t bytes_max) {
  paths_.insert(path);
  absl::StatusOr<std::string> content = files_.Read(path, bytes_max);
  const std::string_view text = content.ok() ? std::string_view(*content) : base::ToStd(content.status().message());
  std::string all(reinterpret_cast<const char*>(digest_.data()), digest_.size());
  for (const std::string_view piece : {std::string_view(path), text}) {
    const crypto::Sha256Digest digest = crypto::Sha256(piece);
    all.append(reinterpret_cast<const char*>(digest.data()), digest.size());
  }
  all += content.ok() ? '1' : '0';
  digest_ = crypto::Sha256(all);
  return content;
}

}  // namespace portico::source
