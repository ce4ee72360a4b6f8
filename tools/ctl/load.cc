#include "tools/ctl/load.h"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "api/base/text.h"
#include "api/check/references/references.h"
#include "api/check/resource/resource.h"
#include "api/check/violation.h"
#include "api/resolve/resolve.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "dataplane/route/route_config.h"

namespace portico::ctl {
namespace {

using check::ResourceKey;

class Loader {
 public:
  Loader(yaml::FileReader& files, const check::KeyPairChecker& key_pairs) : files_(files), key_pairs_(key_pairs) {}

  void Run(const std::vector<std::string>& paths) {
    Read(paths);
    if (out.errors() > 0) return;
    for (const check::Violation& violation : check::CheckReferences(out.configuration)) {
      Add(true, violation.key, violation.path, violation.message);
    }
    if (out.errors() > 0) return;
    ResolveGateways();
  }

  Loaded out;

 private:
  void Read(const std::vector<std::string>& paths) {
    const yaml::Limits limits;
    yaml::Problems problems(limits.problems_max);
    for (const std::string& path : paths) {
      for (yaml::Document& document : yaml::ReadConfiguration(path, files_, limits, problems)) {
        const size_t before = problems.list().size() + problems.dropped();
        yaml::LoadFiles(document, files_, limits, problems);
        // Without its files it would be judged for what only the reader failed at.
        if (problems.list().size() + problems.dropped() == before) documents_.push_back(std::move(document));
      }
    }
    for (const yaml::Problem& problem : problems.list()) {
      out.findings.push_back({true, problem.file, problem.position.line, problem.path, problem.message});
    }
    if (problems.dropped() > 0) {
      out.findings.push_back({true, "", 0, "", base::Concat("and ", problems.dropped(), " more")});
    }
    for (const yaml::Document& document : documents_)
      Judge(document);
  }

  void Judge(const yaml::Document& document) {
    const ResourceKey key = check::KeyOf(document.resource);
    const auto [first, added] = by_key_.emplace(key, &document);
    if (!added) {
      AddAt(true, document, "metadata.name",
            base::Concat("there is a ", key.ToString(), " already, at ", first->second->file, ":",
                         first->second->source.Locate("metadata.name").line));
      return;
    }
    check::CheckEnvironment environment;
    environment.key_pairs = &key_pairs_;
    for (const check::Violation& violation : check::CheckResource(document.resource, environment)) {
      AddAt(true, document, violation.path, violation.message);
    }
    out.configuration.Add(document.resource);
  }

  void ResolveGateways() {
    std::set<resolve::Notice> notices;
    std::set<ResourceKey> reached;
    for (const auto& [key, resource] : out.configuration.resources()) {
      if (!resource->has_gateway()) continue;
      const absl::StatusOr<resolve::ResolvedGateway> gateway = resolve::Resolve(out.configuration, key);
      if (!gateway.ok()) continue;  // only an unknown gateway is an error there
      notices.insert(gateway->notices.begin(), gateway->notices.end());
      reached.insert(gateway->reach.begin(), gateway->reach.end());
      BuildTables(*gateway);
    }
    for (const resolve::Notice& notice : notices) {
      Add(false, notice.resource, notice.path, notice.message);
      reached.insert(notice.resource);
    }
    for (const auto& [key, resource] : out.configuration.resources()) {
      if (resource->has_route() && !reached.contains(key)) {
        Add(false, key, "spec.parentRefs", "attaches to no Gateway of this configuration");
      }
    }
  }

  // What the proxy would do with it, as far as it can fail.
  void BuildTables(const resolve::ResolvedGateway& gateway) {
    std::vector<std::shared_ptr<const route::Rule>> rules;
    for (size_t id = 0; id < gateway.rules.size(); ++id)
      rules.push_back(route::BuildRule(gateway, id));
    for (const uint16_t port : route::PortsOf(gateway)) {
      const auto table = route::BuildRouteTable(gateway, port, rules);
      if (!table.ok()) Add(true, gateway.key, "", std::string(base::ToStd(table.status().message())));
    }
  }

  void Add(bool is_error, const ResourceKey& key, const std::string& path, const std::string& message) {
    const auto found = by_key_.find(key);
    if (found != by_key_.end()) return AddAt(is_error, *found->second, path, message);
    out.findings.push_back({is_error, key.ToString(), 0, path, message});
  }

  void AddAt(bool is_error, const yaml::Document& document, const std::string& path, const std::string& message) {
    out.findings.push_back({is_error, document.file, document.source.Locate(path).line, path, message});
  }

  yaml::FileReader& files_;
  const check::KeyPairChecker& key_pairs_;
  std::vector<yaml::Document> documents_;
  std::map<ResourceKey, const yaml::Document*> by_key_;  // into documents_, complete by then
};

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

Loaded Load(const std::vector<std::string>& paths, yaml::FileReader& files, const check::KeyPairChecker& key_pairs) {
  Loader loader(files, key_pairs);
  loader.Run(paths);
  return std::move(loader.out);
}

}  // namespace portico::ctl
