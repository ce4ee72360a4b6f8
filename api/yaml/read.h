#ifndef PORTICO_API_YAML_READ_H_
#define PORTICO_API_YAML_READ_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "api/portico/v1/resource.pb.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"

namespace portico::yaml {

// One resource and where each of its fields stands.
struct Document {
  portico::v1::Resource resource;
  std::string file;
  SourceMap source;
};

// Reading a configuration:
//
//   Problems problems(limits.problems_max);
//   std::vector<Document> documents = ReadConfiguration(path, files, limits, problems);
//   for (Document& document : documents) LoadFiles(document, files, limits, problems);
//   if (!problems.empty()) Refuse(problems.ToString());     // documents with a problem are left out of the result
//   … check each, and the whole; a violation's line is document.source.Locate(violation.path) …

// What is read from disk; a fake in tests. Calls may block.
class FileReader {
 public:
  virtual ~FileReader() = default;
  // The whole content. kResourceExhausted: longer than `bytes_max`.
  virtual absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) = 0;
  // The names in a folder, in any order; kFailedPrecondition: `path` is no folder.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& path) = 0;
};

// The documents of one text. `file` is for problems and for paths that are relative to it.
std::vector<Document> ReadText(std::string_view text, std::string_view file, const Limits& limits, Problems& problems);

// A file, or the files *.yaml and *.yml of a folder in the order of their names; folders inside and names that begin
// with '.' are left alone (Kubernetes mounts a ConfigMap that way).
std::vector<Document> ReadConfiguration(const std::string& path, FileReader& files, const Limits& limits,
                                        Problems& problems);

// Puts the content in the place of every {file: path} of a Secret, relative to the folder of the document's file.
void LoadFiles(Document& document, FileReader& files, const Limits& limits, Problems& problems);

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_READ_H_
