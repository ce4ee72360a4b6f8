#ifndef PORTICO_DATAPLANE_ROUTE_RETRY_H_
#define PORTICO_DATAPLANE_ROUTE_RETRY_H_

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/time.h"

namespace portico::route {

// When a request is sent again after an origin has failed it: `retry` of a Route's rule. Immutable.
struct RetryPlan {
  std::vector<uint32_t> codes;  // answers that are tried again, 400 to 599
  uint32_t attempts = 1;        // after the first
  base::Duration backoff = std::chrono::milliseconds(25);
  // Methods of requests that may have reached an origin. The default: RFC 9110 section 9.2.2.
  std::vector<std::string> methods = {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"};
  size_t content_bytes_max = 64 << 10;  // kept for another attempt; a request with more is sent once

  bool HasCode(int status) const {
    return std::find(codes.begin(), codes.end(), static_cast<uint32_t>(status)) != codes.end();
  }
  bool HasMethod(std::string_view method) const {
    return std::find(methods.begin(), methods.end(), method) != methods.end();
  }
};

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_RETRY_H_
