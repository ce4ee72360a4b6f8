#ifndef PORTICO_DATAPLANE_ADMIN_PAGES_H_
#define PORTICO_DATAPLANE_ADMIN_PAGES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "dataplane/filter/reply.h"
#include "dataplane/observe/process_log.h"

namespace portico::admin {

// Which pages an address has.
enum class Pages : uint8_t {
  kAll,
  kProbes,  // /ready, /live and /metrics: for an orchestrator and a scraper
};

// What an address lets one do.
struct Access {
  Pages pages = Pages::kProbes;
  bool read_only = true;
  bool loopback = false;  // it is reached from this machine alone
};

enum class Page : uint8_t { kIndex, kReady, kLive, kMetrics, kSnapshot, kClusters, kLogLevel };

// A request that may be answered.
struct PageRequest {
  Page page = Page::kIndex;
  std::optional<observe::Severity> set_log_level;  // PUT /log_level
};

// What is asked, or why not: 400, 403, 404, 405. `target` is the path with its query, as sent; a query counts only
// where something is changed.
std::variant<PageRequest, filter::Reply> Decide(std::string_view method, std::string_view authority,
                                                std::string_view target, const Access& access);

// A line for each page that there is.
std::string IndexText(const Access& access);

// An answer of any status, with what every answer here has: not to be stored, not to be taken for HTML.
filter::Reply TextReply(int status, std::string content);
filter::Reply MediaReply(std::string_view media_type, std::string content);  // 200

}  // namespace portico::admin

#endif  // PORTICO_DATAPLANE_ADMIN_PAGES_H_
