#ifndef PORTICO_TOOLS_CTL_LOAD_H_
#define PORTICO_TOOLS_CTL_LOAD_H_

#include <string>
#include <vector>

#include "api/check/configuration.h"
#include "api/check/key_pair.h"
#include "api/yaml/read.h"

namespace portico::ctl {

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

// A configuration from files, judged as far as it can be without a proxy: read, each resource, the whole, and what each
// gateway makes of it. Each step is taken only if the one before found no error, since its findings would be echoes.
struct Loaded {
  check::Configuration configuration;
  std::vector<Finding> findings;

  size_t errors() const;
  size_t warnings() const { return findings.size() - errors(); }
};
Loaded Load(const std::vector<std::string>& paths, yaml::FileReader& files, const check::KeyPairChecker& key_pairs);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_LOAD_H_
