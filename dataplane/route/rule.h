#ifndef PORTICO_DATAPLANE_ROUTE_RULE_H_
#define PORTICO_DATAPLANE_ROUTE_RULE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/base/time.h"
#include "dataplane/http/fields.h"
#include "dataplane/route/retry.h"

namespace portico::route {

// What a request gets that a rule has won: everything the exchange needs to know of the Route, decoded. Immutable and
// self-contained. Who may pass (authentication, authorization) and what a backend is are snapshot/'s to bind: a
// snapshot's rules are snapshot::BoundRule.

// Edits of a field section, in this order: set, add, remove. Names are lower case.
struct FieldEdits {
  std::vector<std::pair<std::string, std::string>> set;
  std::vector<std::pair<std::string, std::string>> add;
  std::vector<std::string> remove;

  bool empty() const { return set.empty() && add.empty() && remove.empty(); }
  void Apply(http::Fields& fields) const;
};

struct PathRewrite {
  enum class Kind : uint8_t { kFull, kPrefix };
  Kind kind = Kind::kFull;
  std::string value;
};

struct UrlRewrite {
  std::string hostname;  // "": the request's
  std::optional<PathRewrite> path;
};

struct Redirect {
  std::string scheme;    // "": the request's
  std::string hostname;  // "": the request's
  std::optional<PathRewrite> path;
  std::optional<uint16_t> port;
  int status = 302;
};

// Answered here, with this content.
struct DirectResponse {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string content;
};

enum class BackendKind : uint8_t { kCluster, kComposition };

struct Backend {
  BackendKind kind = BackendKind::kCluster;
  std::string name_space;
  std::string name;
  std::optional<uint16_t> port;  // only endpoints with this port
  uint32_t weight = 1;
  std::string fault;  // why requests for it are answered with 500; "" if it is good
};

struct Rule {
  virtual ~Rule() = default;

  std::string route;       // "namespace/name": for logs, metrics and explain
  std::string name;        // the rule's, "" if it has none
  size_t index = 0;        // its place in the Route
  uint64_t route_age = 0;  // creation revision of the Route
  std::string listener;    // the name of the listener
  uint16_t listener_port = 0;

  // At most one of these two answers, then `backends` don't matter. rewrite is for what is forwarded.
  std::optional<Redirect> redirect;
  std::optional<DirectResponse> direct_response;
  std::optional<UrlRewrite> rewrite;
  FieldEdits request_edits;
  FieldEdits response_edits;

  std::vector<Backend> backends;
  uint64_t weight_sum = 0;  // of all backends

  // From the request head to the end of the response; one attempt at an origin. nullopt: no deadline.
  std::optional<base::Duration> request_timeout;
  std::optional<base::Duration> backend_request_timeout;
  std::shared_ptr<const RetryPlan> retry;  // nullptr: what an origin has answered, or not, is not asked again
  std::optional<uint64_t> request_content_bytes_max;  // then 413; nullopt: the gateway's alone
};

// The backend that a random number falls on, each with the share weight / weight_sum; faulty ones get theirs too and
// answer 500 (Gateway API). nullptr: there are none, or all weights are 0; that is a 500 as well.
const Backend* PickBackend(const Rule& rule, uint64_t random);

}  // namespace portico::route

#endif  // PORTICO_DATAPLANE_ROUTE_RULE_H_
