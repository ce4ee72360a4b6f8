#ifndef PORTICO_API_LOAD_MEMORY_FILES_H_
#define PORTICO_API_LOAD_MEMORY_FILES_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/yaml/read.h"

namespace portico::load {

// Files by path, for tests. A folder is what the paths of files say.
class MemoryFiles : public yaml::FileReader {
 public:
  explicit MemoryFiles(std::map<std::string, std::string> files) : files_(std::move(files)) {}

  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override {
    const auto found = files_.find(path);
    if (found == files_.end()) return absl::NotFoundError("no such file");
    if (found->second.size() > bytes_max) return absl::ResourceExhaustedError("too long");
    return found->second;
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    std::vector<std::string> names;
    for (const auto& [name, text] : files_) {
      if (name.starts_with(path + "/")) names.push_back(name.substr(path.size() + 1));
    }
    if (names.empty()) return absl::FailedPreconditionError("no folder");
    return names;
  }

 private:
  const std::map<std::string, std::string> files_;
};

}  // namespace portico::load

#endif  // PORTICO_API_LOAD_MEMORY_FILES_H_
