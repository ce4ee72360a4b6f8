#ifndef PORTICO_TOOLS_CTL_LOAD_H_
#define PORTICO_TOOLS_CTL_LOAD_H_

#include <string>
#include <vector>

#include "api/check/key_pair.h"
#include "api/load/load.h"
#include "api/yaml/read.h"

namespace portico::ctl {

// Files judged as far as it can be without a proxy: load::Load and, if that found no error, what each gateway makes of
// the whole.
load::Loaded LoadAndResolve(const std::vector<std::string>& paths, yaml::FileReader& files,
                            const check::KeyPairChecker& key_pairs);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_LOAD_H_
