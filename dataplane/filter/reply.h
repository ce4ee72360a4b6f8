#ifndef PORTICO_DATAPLANE_FILTER_REPLY_H_
#define PORTICO_DATAPLANE_FILTER_REPLY_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portico::filter {

// An answer of the proxy's own, whole. The exchange adds content-length and what every response gets.
struct Reply {
  int status = 500;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string content;
  std::string reason;  // for the access log alone, never sent: "denied by rule readers-only"
  // The error parameter of proxy-status, for the access log; static text, "" where the answer is no error of ours.
  std::string_view error = {};
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_REPLY_H_
