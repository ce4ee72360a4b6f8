#ifndef PORTICO_API_YAML_DISK_H_
#define PORTICO_API_YAML_DISK_H_

#include <string>
#include <vector>

#include "api/yaml/read.h"

namespace portico::yaml {

// FileReader over the file system. It blocks: for the main thread and for porticoctl, never for a worker.
class DiskReader : public FileReader {
 public:
  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override;
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override;
};

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_DISK_H_
