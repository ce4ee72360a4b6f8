#ifndef PORTICO_TOOLS_CTL_TABLE_H_
#define PORTICO_TOOLS_CTL_TABLE_H_

#include <string>
#include <vector>

namespace portico::ctl {

// Rows for people and programs: the heads are the names of the columns, "KIND".
struct Table {
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
};

// `format` is "table" (aligned columns), "json" (a list of objects) or "yaml" (a list of maps); names in lower case.
std::string Print(const Table& table, const std::string& format);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_TABLE_H_
