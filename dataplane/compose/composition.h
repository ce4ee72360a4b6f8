#ifndef PORTICO_DATAPLANE_COMPOSE_COMPOSITION_H_
#define PORTICO_DATAPLANE_COMPOSE_COMPOSITION_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/jq/evaluate.h"
#include "dataplane/call/call.h"
#include "dataplane/compose/budget.h"
#include "dataplane/compose/plan.h"
#include "dataplane/event/loop.h"
#include "dataplane/http/message.h"
#include "dataplane/observe/access_log.h"

namespace portico::compose {

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> fields;  // names in lower case
  std::string content;                                      // JSON
};

struct Failure {
  int status = 502;    // 504 for a timeout, 503 over the budget; an origin's own status is never relayed
  std::string step;    // "answer" if the answer itself can't be made
  std::string item;    // for the log, at most kItemBytesMax of it; "" without forEach
  std::string reason;  // for the client: "status 503", "connection_refused"; never an origin's bytes
  std::string detail;  // for the log: what jq says
};

class CompositionHandler {
 public:
  virtual ~CompositionHandler() = default;
  // Exactly one of these, once, possibly inside Start(). May destroy the composition.
  virtual void OnAnswer(Answer answer) = 0;
  virtual void OnFailure(Failure failure) = 0;
};

struct Limits {
  size_t call_content_bytes_max = 1 << 20;   // an answer that is composed is read by people
  size_t total_content_bytes_max = 8 << 20;  // of all calls of the exchange
  size_t call_values_max = 100'000;          // 24 bytes of memory each
  size_t arena_bytes_max = 64 << 20;         // heads and values: looked at before each call and with each response
  uint64_t evaluation_fuel = 1'000'000;      // of each program: some 10 ms in which the worker does nothing else
  // Of all programs of the exchange: a plan may have 33. One program's is kept for the answer, which an optional step
  // must not cost.
  uint64_t total_evaluation_fuel = 3'000'000;
  size_t text_bytes_max = 8 << 10;  // an expanded request target or field value
  size_t answer_bytes_max = 4 << 20;
};

struct CompositionInput {
  std::span<call::Backend* const> backends;  // as Plan::backends; outlive the composition
  base::Json request;                        // $request and $identity; live as long as the composition
  base::Json identity;
  // Sent with every call: traceparent, x-request-id. Nothing else of the client's reaches an origin unasked.
  std::vector<std::pair<std::string, std::string>> tracing;
  Budget* budget = nullptr;           // of the worker; outlives the composition. nullptr: none
  call::Spans* spans = nullptr;       // of the exchange, if `tracing` has its traceparent; outlives it
  const event::Loop* loop = nullptr;  // whose time the records tell; nullptr: none is told
};

// One run of a plan, for one exchange, on its worker's thread. No clock: each call's timeout goes with the call, and
// the deadline of the whole is the exchange's, which destroys the composition. Destroying it at any time, inside a
// callback too, cancels every call under way, and nothing is heard any more.
//
//   Composition composition(plan, input, handler);  →  Start()  →  OnAnswer or OnFailure
//
// Step: waiting → (inputs finished) running → (every item settled) finished. All that can start starts at once.
class Composition {
 public:
  static constexpr size_t kItemBytesMax = 64;

  Composition(std::shared_ptr<const Plan> plan, CompositionInput input, CompositionHandler& handler,
              const Limits& limits = {});
  ~Composition();
  Composition(const Composition&) = delete;
  Composition& operator=(const Composition&) = delete;

  void Start() { begun_at_ = Now(), Run(); }
  // Of each step so far, in the plan's order.
  std::vector<observe::StepRecord> Records() const;

 private:
  enum class StepState : uint8_t { kWaiting, kRunning, kFinished };
  class ItemCall;
  struct Problem {
    int status;
    std::string_view reason, detail = {};
  };

  void Run();
  bool Advance(size_t step);
  void Begin(size_t step);
  void StartCall(size_t step, size_t item);
  absl::StatusOr<http::RequestHead*> MakeHead(const Step& step, std::span<const jq::Binding> bindings);
  void Settle(size_t step, size_t item, base::Json result);
  void Fail(size_t step, std::optional<size_t> item, const Problem& problem);
  void Finish(size_t step);
  std::optional<Problem> CountBytes();
  uint64_t AnswerFuel() const { return std::min(limits_.evaluation_fuel, limits_.total_evaluation_fuel); }
  jq::EvaluateLimits EvaluationLimits();
  Problem EvaluationProblem(const absl::Status& status, std::string_view reason) const;
  absl::StatusOr<Answer> MakeAnswer();
  base::Json FailureList();
  base::MonotonicTime Now() const { return input_.loop == nullptr ? base::MonotonicTime() : input_.loop->Now(); }

  struct Item {
    base::Json each;
    std::string_view key;
    std::unique_ptr<ItemCall> call;
    base::Json result;
  };
  struct StepRun {
    StepState state = StepState::kWaiting;
    std::vector<Item> items;
    size_t next = 0;       // the first item without a call
    size_t under_way = 0;  // calls
    base::Json result;
    size_t failed = 0;  // items; 1 if they could not be told
    base::Duration begin{}, duration{};
  };
  struct Listed {
    size_t step;
    std::optional<size_t> item;
    std::string_view reason;
  };

  const std::shared_ptr<const Plan> plan_;
  const CompositionInput input_;
  CompositionHandler& handler_;
  const Limits limits_;
  base::MonotonicTime begun_at_{};
  BudgetShare share_;
  jq::Fuel fuel_;  // without what is kept for the answer
  base::Arena arena_;
  std::vector<jq::Binding> bindings_;  // of what is finished
  std::vector<StepRun> runs_;
  std::vector<Listed> failures_;
  std::optional<Failure> failure_;
  size_t content_bytes_ = 0;  // of all responses so far
  size_t held_bytes_ = 0;     // of contents that are not whole yet
};

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_COMPOSITION_H_
