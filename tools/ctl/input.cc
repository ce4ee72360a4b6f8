#include "tools/ctl/input.h"

#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/yaml/read.h"
#include "tools/ctl/names.h"

namespace portico::ctl {
namespace {

// The files there are, and standard input under the name "-".
class WithStandardInput final : public yaml::FileReader {
 public:
  WithStandardInput(yaml::FileReader& files, std::istream& in) : files_(files), in_(in) {}

  absl::StatusOr<std::string> Read(const std::string& path, size_t bytes_max) override {
    if (path != "-") return files_.Read(path, bytes_max);
    std::string text;
    for (std::istreambuf_iterator<char> next(in_), end; next != end; ++next) {
      if (text.size() == bytes_max) return absl::ResourceExhaustedError("standard input is too long");
      text += *next;
    }
    return text;
  }

  absl::StatusOr<std::vector<std::string>> List(const std::string& path) override {
    if (path != "-") return files_.List(path);
    return absl::FailedPreconditionError("no folder");
  }

 private:
  yaml::FileReader& files_;
  std::istream& in_;
};

void PrintFindings(const Call& call, const load::Loaded& loaded) {
  for (const load::Finding& finding : loaded.findings)
    call.console.error << finding.ToString() << "\n";
}

}  // namespace

load::Loaded LoadInput(const Call& call) {
  WithStandardInput files(call.console.files, call.console.in);
  return load::LoadEach(call.arguments.All("file"), files, call.console.key_pairs);
}

load::Loaded ReadInput(const Call& call) {
  WithStandardInput files(call.console.files, call.console.in);
  const yaml::Limits limits;
  yaml::Problems problems(limits.problems_max);
  load::Loaded out;
  for (const std::string& path : call.arguments.All("file")) {
    for (yaml::Document& document : yaml::ReadConfiguration(path, files, limits, problems))
      out.configuration.Put(std::move(document.resource));
  }
  for (const yaml::Problem& problem : problems.list())
    out.findings.push_back({true, problem.file, problem.position.line, problem.path, problem.message});
  return out;
}

int FailInput(const Call& call, const load::Loaded& loaded) {
  PrintFindings(call, loaded);
  return call.failed;
}

int FailInput(const Call& call, load::Loaded loaded, const absl::Status& status,
              const std::vector<ApiViolation>& violations) {
  std::vector<ApiViolation> elsewhere;
  for (const ApiViolation& violation : violations) {
    const std::optional<check::ResourceKey> key = ParseNameText(violation.resource);
    if (key && loaded.places.contains(*key)) {
      loaded.Add(true, *key, violation.path, violation.message);
    } else {
      elsewhere.push_back(violation);
    }
  }
  PrintFindings(call, loaded);
  return call.Fail(status, elsewhere);
}

void PrintWarnings(const Call& call, const portico::v1::ApplyResponse& response) {
  for (const portico::v1::Warning& warning : response.warnings()) {
    call.console.error << "warning: " << NameText(warning.name()) << ": " << warning.path()
                       << (warning.path().empty() ? "" : ": ") << warning.message() << "\n";
  }
}

}  // namespace portico::ctl
