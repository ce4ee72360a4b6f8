#ifndef PORTICO_TOOLS_CTL_CASES_H_
#define PORTICO_TOOLS_CTL_CASES_H_

#include <string>
#include <string_view>
#include <vector>

#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "tools/ctl/cases.pb.h"
#include "tools/ctl/request.h"

namespace portico::ctl {

// A document of a file of tests, with where each of its fields stands and what its requests are. cases.proto says what
// may be written.
struct ReadSuite {
  Suite suite;
  std::string file;
  yaml::SourceMap source;
  std::vector<Request> requests;  // beside suite.tests
};

// What is wrong with any of it goes to `problems`, by line and field; then the result is of no use.
std::vector<ReadSuite> ReadSuites(std::string_view text, const std::string& file, const yaml::Limits& limits,
                                  yaml::Problems& problems);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_CASES_H_
