#ifndef PORTICO_API_CHECK_VIOLATION_H_
#define PORTICO_API_CHECK_VIOLATION_H_

#include <string>
#include <vector>

#include "api/check/configuration.h"

namespace portico::check {

// What is wrong with a field, and what would be right. The line comes from yaml::Document::source.Locate(path).
struct Violation {
  ResourceKey key;
  std::string path;  // "spec.rules[0].retry", as api/yaml writes paths
  std::string message;
};
using Violations = std::vector<Violation>;

}  // namespace portico::check

#endif  // PORTICO_API_CHECK_VIOLATION_H_
