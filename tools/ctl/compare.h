#ifndef PORTICO_TOOLS_CTL_COMPARE_H_
#define PORTICO_TOOLS_CTL_COMPARE_H_

#include <string>
#include <vector>

#include "tools/ctl/cases.pb.h"
#include "tools/ctl/decision.h"

namespace portico::ctl {

// A field of an expectation that does not hold.
struct Mismatch {
  std::string field;  // as in the file: "deniedBy.rule"
  std::string expected;
  std::string got;
};

// Of what is not expected nothing is said. Pure.
std::vector<Mismatch> Compare(const Expectation& expected, const Decision& decision);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_COMPARE_H_
