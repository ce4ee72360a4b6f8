#ifndef PORTICO_API_LOAD_LOAD_H_
#define PORTICO_API_LOAD_LOAD_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"

namespace portico::load {

// Something that is wrong (or surely not meant) in a file.
struct Finding {
  bool is_error = true;
  std::string file;
  size_t line = 0;  // 0: the file as a whole
  std::string path;
  std::string message;

  // "shop.yaml:12: spec.rules[2].name: …"; a warning says so before its message.
  std::string ToString() const;
};

// A configuration from files, with all that is wrong with it.
struct Loaded {
  // Where a resource stands.
  struct Place {
    std::string file;
    yaml::SourceMap source;
  };

  check::Configuration configuration;
  std::vector<Finding> findings;
  std::map<check::ResourceKey, Place> places;

  size_t errors() const;
  size_t warnings() const { return findings.size() - errors(); }

  // One more finding, about a field of a resource: whoever judges further calls it, and need not know lines. A resource
  // that is in no file is named in the file's stead.
  void Add(bool is_error, const check::ResourceKey& key, const std::string& path, const std::string& message);
};

// Files and folders, all together, judged without a proxy: read, each resource, the whole. Each step is taken only if
// the one before found no error, since its findings would be echoes. It blocks on `files`: not for a loop. What only
// the system writes may stand in a file (`porticoctl get -o yaml` printed it) and stays in the resource.
//
//   Loaded loaded = Load({"shop.yaml"}, files, key_pairs);
//   if (loaded.errors() > 0) … loaded.findings[0].ToString() …
Loaded Load(const std::vector<std::string>& paths, yaml::FileReader& files, const check::KeyPairChecker& key_pairs);

// The same without the last step: for files that are part of a whole which somebody else has.
Loaded LoadEach(const std::vector<std::string>& paths, yaml::FileReader& files, const check::KeyPairChecker& key_pairs);

}  // namespace portico::load

#endif  // PORTICO_API_LOAD_LOAD_H_
