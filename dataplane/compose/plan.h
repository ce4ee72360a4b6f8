#ifndef PORTICO_DATAPLANE_COMPOSE_PLAN_H_
#define PORTICO_DATAPLANE_COMPOSE_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/jq/program.h"
#include "api/jq/template.h"
#include "dataplane/base/time.h"

namespace portico::compose {

// A Composition with everything decided that can be decided before a request: programs and templates compiled, the
// graph drawn. Immutable; workers share it by shared_ptr. compose_config.h builds it.

enum class FailureRule : uint8_t {
  kFail,         // the whole fails
  kUseNull,      // the result is null, the step is listed in $failures
  kUseFallback,  // the fallback stands for the body, the step is listed in $failures
};

struct NamedTemplate {
  std::string name;  // a field's name in lower case, or a query parameter's, percent-encoded
  jq::Template value;
};

struct ForEach {
  jq::Program items;
  size_t items_max = 0;  // distinct ones
  size_t parallel = 0;   // at least 1
};

struct Step {
  std::string name;
  std::optional<ForEach> for_each;
  size_t backend = 0;  // place in Plan::backends
  jq::Template path;
  std::vector<NamedTemplate> query;
  std::vector<NamedTemplate> fields;
  std::optional<base::Duration> call_timeout;
  std::vector<int> absent_on;
  FailureRule failure_rule = FailureRule::kFail;
  base::Json fallback;         // in Plan::arena
  std::vector<size_t> inputs;  // places of the steps whose results this one uses, ascending; never a cycle
};

struct BackendKey {
  std::string name_space;
  std::string name;  // of a Cluster
  std::optional<uint16_t> port;
  friend bool operator==(const BackendKey&, const BackendKey&) = default;
};

struct Plan {
  explicit Plan(jq::Program answer_program) : answer(std::move(answer_program)) {}
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;

  base::Arena arena;  // the fallbacks
  std::vector<Step> steps;
  std::vector<BackendKey> backends;  // each once
  std::vector<NamedTemplate> answer_fields;
  jq::Program answer;
};

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_PLAN_H_
