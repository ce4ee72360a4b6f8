#ifndef PORTICO_API_YAML_LIMITS_H_
#define PORTICO_API_YAML_LIMITS_H_

#include <cstddef>

namespace portico::yaml {

// What reading a configuration may cost. A text over a limit is refused with the limit's words, never cut short.
struct Limits {
  size_t text_bytes_max = 16 << 20;  // 10,000 generated routes take about 8 MiB
  size_t nodes_max = 1'000'000;      // scalars, lists and maps, copies made by aliases counted: an alias bomb ends here
  size_t copied_nodes_max = 100'000;   // copies made by aliases alone: a shared filter list repeated for 1,000 rules
  size_t depth_max = 64;               // the language itself stays below 16
  size_t documents_max = 100'000;      // a text of nothing but "---"
  size_t problems_max = 100;           // nobody reads more at once
  size_t files_max = 1'000;            // of one folder
  size_t folder_bytes_max = 64 << 20;  // all files of one folder together
  size_t secret_file_bytes_max = 1 << 20;  // a certificate bundle of all public authorities is 250 kB
};

}  // namespace portico::yaml

#endif  // PORTICO_API_YAML_LIMITS_H_
