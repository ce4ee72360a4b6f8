#ifndef PORTICO_TOOLS_CTL_REQUEST_H_
#define PORTICO_TOOLS_CTL_REQUEST_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace portico::ctl {

// A request as a user describes it to `explain` and `test`, in the form in which the proxy's codecs would deliver it.
struct Request {
  std::string method;
  std::string scheme;            // "http" or "https"
  std::string authority;         // lower case; the `host` field if one is given, else the URL's
  std::optional<uint16_t> port;  // the URL's own
  std::string target;            // "/path?query"
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case, without host
};

// `headers` are "name: value". kInvalidArgument: which of them is wrong and how.
absl::StatusOr<Request> ParseRequest(std::string_view method, std::string_view url,
                                     const std::vector<std::string>& headers);

}  // namespace portico::ctl

#endif  // PORTICO_TOOLS_CTL_REQUEST_H_
