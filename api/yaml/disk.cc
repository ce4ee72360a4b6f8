#include "api/yaml/disk.h"

#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

#include "absl/status/status.h"
#include "api/base/text.h"

namespace portico::yaml {
namespace {

absl::Status SystemError(const std::string& path) {
  const std::string message = base::Concat("can't read ", path, ": ", std::string_view(std::strerror(errno)));
  return absl::NotFoundError(base::ToAbsl(message));
}

}  // namespace

absl::StatusOr<std::string> DiskReader::Read(const std::string& path, size_t bytes_max) {
  // A pipe or device would block or never end.
  struct stat about = {};
  if (stat(path.c_str(), &about) != 0) return SystemError(path);
  if (!S_ISREG(about.st_mode)) return absl::InvalidArgumentError(base::ToAbsl(path + " is not a file"));
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "rbe"), &std::fclose);
  if (file == nullptr) return SystemError(path);
  std::string content;
  char block[65536];
  while (const size_t count = std::fread(block, 1, sizeof block, file.get())) {
    content.append(block, count);
    if (content.size() > bytes_max) {
      const std::string message = base::Concat(path, " is larger than ", bytes_max, " bytes");
      return absl::ResourceExhaustedError(base::ToAbsl(message));
    }
  }
  if (std::ferror(file.get()) != 0) return SystemError(path);
  return content;
}

absl::StatusOr<std::vector<std::string>> DiskReader::List(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (folder == nullptr) return absl::FailedPreconditionError(base::ToAbsl(path + " is no folder"));
  std::vector<std::string> names;
  while (const dirent* entry = readdir(folder.get()))
    names.emplace_back(entry->d_name);
  return names;
}

}  // namespace portico::yaml
