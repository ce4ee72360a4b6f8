#include "api/load/load.h"

#include <algorithm>
#include <utility>

#include "api/base/text.h"
#include "api/check/references/references.h"
#include "api/check/resource/resource.h"
#include "api/check/violation.h"
#include "api/yaml/limits.h"

namespace portico::load {
namespace {

using check::ResourceKey;

// Documents with a problem are left out, also those whose files can't be read: without them a Secret would be judged
// for what only the reader failed at.
std::vector<yaml::Document> Read(const std::vector<std::string>& paths, yaml::FileReader& files, Loaded& out) {
  const yaml::Limits limits;
  yaml::Problems problems(limits.problems_max);
  std::vector<yaml::Document> documents;
  for (const std::string& path : paths) {
    for (yaml::Document& document : yaml::ReadConfiguration(path, files, limits, problems)) {
      const size_t before = problems.list().size() + problems.dropped();
      yaml::LoadFiles(document, files, limits, problems);
      if (problems.list().size() + problems.dropped() == before) documents.push_back(std::move(document));
    }
  }
  for (const yaml::Problem& problem : problems.list()) {
    out.findings.push_back({true, problem.file, problem.position.line, problem.path, problem.message});
  }
  if (problems.dropped() > 0) {
    out.findings.push_back({true, "", 0, "", base::Concat("and ", problems.dropped(), " more")});
  }
  return documents;
}

void Judge(yaml::Document document, const check::KeyPairChecker& key_pairs, Loaded& out) {
  const ResourceKey key = check::KeyOf(document.resource);
  const size_t line = document.source.Locate("metadata.name").line;
  const std::string file = document.file;
  const auto [place, added] =
      out.places.try_emplace(key, Loaded::Place{std::move(document.file), std::move(document.source)});
  if (!added) {
    const size_t first_line = place->second.source.Locate("metadata.name").line;
    out.findings.push_back(
        {true, file, line, "metadata.name",
         base::Concat("there is a ", key.ToString(), " already, at ", place->second.file, ":", first_line)});
    return;
  }
  check::CheckEnvironment environment;
  environment.key_pairs = &key_pairs;
  environment.system_fields = true;  // what `porticoctl get` printed is a file like any other
  for (const check::Violation& violation : check::CheckResource(document.resource, environment)) {
    out.Add(true, key, violation.path, violation.message);
  }
  out.configuration.Add(std::move(document.resource));
}

}  // namespace

std::string Finding::ToString() const {
  std::string out = file;
  if (line > 0) out += base::Concat(":", line);
  if (!out.empty()) out += ": ";
  if (!path.empty()) out += base::Concat(path, ": ");
  return base::Concat(out, is_error ? "" : "warning: ", message);
}

size_t Loaded::errors() const {
  return static_cast<size_t>(
      std::count_if(findings.begin(), findings.end(), [](const Finding& finding) { return finding.is_error; }));
}

void Loaded::Add(bool is_error, const ResourceKey& key, const std::string& path, const std::string& message) {
  const auto place = places.find(key);
  if (place == places.end()) {
    findings.push_back({is_error, key.ToString(), 0, path, message});
  } else {
    findings.push_back({is_error, place->second.file, place->second.source.Locate(path).line, path, message});
  }
}

Loaded LoadEach(const std::vector<std::string>& paths, yaml::FileReader& files,
                const check::KeyPairChecker& key_pairs) {
  Loaded out;
  for (yaml::Document& document : Read(paths, files, out))
    Judge(std::move(document), key_pairs, out);
  return out;
}

Loaded Load(const std::vector<std::string>& paths, yaml::FileReader& files, const check::KeyPairChecker& key_pairs) {
  Loaded out = LoadEach(paths, files, key_pairs);
  if (out.errors() > 0) return out;
  for (const check::Violation& violation : check::CheckReferences(out.configuration)) {
    out.Add(true, violation.key, violation.path, violation.message);
  }
  return out;
}

}  // namespace portico::load
