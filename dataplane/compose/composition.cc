#include "dataplane/compose/composition.h"

#include <algorithm>
#include <set>

#include "api/base/text.h"
#include "dataplane/compose/response_value.h"

namespace portico::compose {
namespace {

bool IsTimeout(call::ErrorKind kind) {
  return call::ErrorStatus(kind) == 504;
}

// The worker's memory, not this origin's fault: trying again later may help.
constexpr std::string_view kTooMuchAtOnce = "too much content at once";

// Each call, and each attempt of one, has a span of its own. A step's fields can't say traceparent themselves.
call::SpanPlace PlaceOfSpan(http::RequestHead& head, call::Spans& spans) {
  const auto value = head.fields.Find(http::FieldId::kTraceparent);
  if (!value || value->size() < call::kSpanAt + call::kSpanDigits) return {};
  return {&spans, call::SetTraceparent(head.fields, *value)};
}

std::string_view OutcomeOf(FailureRule rule, size_t failed, bool finished) {
  if (failed == 0) return finished ? "ok" : "unfinished";
  switch (rule) {
    case FailureRule::kFail:
      return "failed";
    case FailureRule::kUseNull:
      return finished ? "null" : "unfinished";
    case FailureRule::kUseFallback:
      return finished ? "fallback" : "unfinished";
  }
  return "failed";
}

}  // namespace

// One call. It settles its item once, when the response is whole; content that nobody wants is read and dropped, so
// that the connection can be used again.
class Composition::ItemCall : public call::CallHandler {
 public:
  ItemCall(Composition& owner, size_t step, size_t item) : owner_(owner), step_(step), item_(item) {}

  void Cancel() { call_.reset(); }
  void Start(call::Backend& backend, const call::CallRequest& request) { call_ = backend.Start(request, *this); }

  void OnInformational(const http::ResponseHead& /*head*/) override {}
  void OnTrailers(http::Fields /*trailers*/) override {}
  void OnSendReady() override {}

  void OnResponse(http::ResponseHead head) override {
    const Step& step = owner_.plan_->steps[step_];
    status_ = head.status;
    if (std::ranges::find(step.absent_on, status_) != step.absent_on.end()) {
      absent_ = true;
      return;
    }
    if (status_ < 200 || status_ > 299) return Fail({502, base::Concat("status ", status_)});
    if (!IsJsonType(head.fields.Find(http::FieldId::kContentType).value_or(""))) return Fail({502, "not JSON"});
    if (head.fields.Has(http::FieldId::kContentEncoding)) return Fail({502, "content is encoded"});
    headers_ = HeaderObject(head.fields, owner_.arena_);
  }

  void OnContent(base::Slice content) override {
    owner_.content_bytes_ += content.size();
    bytes_ += content.size();
    if (bytes_ > owner_.limits_.call_content_bytes_max) return Fail({502, "content is too large"});
    if (owner_.content_bytes_ > owner_.limits_.total_content_bytes_max) return Fail({502, "contents are too large"});
    if (!absent_) content_.append(content.view());
    Hold(content_.capacity());
    if (const auto problem = owner_.CountBytes()) return Fail(*problem);
    call_->Consumed(content.size());
  }

  void OnEnd() override {
    if (absent_) return Settle(base::Json());
    base::JsonParseOptions options;
    options.values_max = owner_.limits_.call_values_max;
    const absl::StatusOr<base::Json> body = base::ParseJson(content_, owner_.arena_, options);
    if (!body.ok()) return Fail({502, "malformed JSON", base::ToStd(body.status().message())});
    if (const auto problem = owner_.CountBytes()) return Fail(*problem);
    Settle(ResponseObject(status_, headers_, *body, owner_.arena_));
  }

  void OnError(const call::Error& error) override {
    Fail({IsTimeout(error.kind) ? 504 : 502, call::ErrorName(error.kind), error.detail});
  }

 private:
  // Both end in Run(), which may destroy the composition and this with it: nothing may follow them.
  void Settle(base::Json result) {
    Close();
    owner_.Settle(step_, item_, result);
    owner_.Run();
  }
  void Fail(const Problem& problem) {
    const std::string detail(problem.detail);  // the call owns it
    Close();
    owner_.Fail(step_, item_, {problem.status, problem.reason, detail});
    owner_.Run();
  }
  void Close() {
    call_.reset();
    std::string().swap(content_);
    Hold(0);
    --owner_.runs_[step_].under_way;
  }
  void Hold(size_t bytes) {
    owner_.held_bytes_ += bytes - held_bytes_;  // unsigned: less than before wraps around, and back
    held_bytes_ = bytes;
  }

  Composition& owner_;
  const size_t step_;
  const size_t item_;
  std::unique_ptr<call::Call> call_;
  int status_ = 0;
  bool absent_ = false;
  size_t bytes_ = 0;
  size_t held_bytes_ = 0;  // counted as the composition's
  base::Json headers_;
  std::string content_;
};

Composition::Composition(std::shared_ptr<const Plan> plan, CompositionInput input, CompositionHandler& handler,
                         const Limits& limits)
    : plan_(std::move(plan)),
      input_(std::move(input)),
      handler_(handler),
      limits_(limits),
      share_(input_.budget),
      fuel_{limits_.total_evaluation_fuel - AnswerFuel()},
      bindings_{{"request", input_.request}, {"identity", input_.identity}},
      runs_(plan_->steps.size()) {}

Composition::~Composition() = default;

void Composition::Run() {
  for (bool progress = true; progress && !failure_;) {
    progress = false;
    for (size_t step = 0; step < runs_.size() && !failure_; ++step)
      progress |= Advance(step);
  }
  if (!failure_) {
    if (std::ranges::any_of(runs_, [](const StepRun& run) { return run.state != StepState::kFinished; })) return;
    absl::StatusOr<Answer> answer = MakeAnswer();
    if (answer.ok()) return handler_.OnAnswer(*std::move(answer));
    const Problem problem = EvaluationProblem(answer.status(), "can't be made");
    failure_ = Failure{problem.status, "answer", "", std::string(problem.reason), std::string(problem.detail)};
  }
  for (StepRun& run : runs_)
    for (Item& item : run.items)
      if (item.call) item.call->Cancel();
  handler_.OnFailure(Failure(*failure_));
}

// True if the step came further, so that another one may.
bool Composition::Advance(size_t step) {
  StepRun& run = runs_[step];
  if (run.state == StepState::kFinished) return false;
  if (run.state == StepState::kWaiting) {
    for (const size_t input : plan_->steps[step].inputs)
      if (runs_[input].state != StepState::kFinished) return false;
    Begin(step);
  }
  const auto& for_each = plan_->steps[step].for_each;
  const size_t parallel = for_each ? for_each->parallel : 1;
  while (run.state == StepState::kRunning && !failure_ && run.next < run.items.size() && run.under_way < parallel)
    StartCall(step, run.next++);
  if (run.state == StepState::kRunning && !failure_ && run.next == run.items.size() && run.under_way == 0) Finish(step);
  return run.state == StepState::kFinished;
}

void Composition::Begin(size_t step) {
  StepRun& run = runs_[step];
  run.state = StepState::kRunning;
  run.begin = Now() - begun_at_;
  const auto& for_each = plan_->steps[step].for_each;
  if (!for_each) {
    run.items.emplace_back();
    return;
  }
  std::string_view wrong;
  std::set<std::string_view> keys;
  const auto add = [&](const base::Json& each) {
    if (!each.is_string() && !each.is_number()) wrong = "an item is neither string nor number";
    if (!wrong.empty()) return false;
    std::string number;
    if (each.is_number()) base::AppendJsonNumber(number, each);
    const std::string_view key = each.is_string() ? each.string() : number;
    if (keys.contains(key)) return true;
    if (keys.size() == for_each->items_max) wrong = "too many items";
    if (!wrong.empty()) return false;
    run.items.push_back(Item{each, each.is_string() ? key : arena_.Copy(key), nullptr, base::Json()});
    keys.insert(run.items.back().key);
    return true;
  };
  const absl::Status status =
      jq::EvaluateEach(for_each->items, bindings_, base::Json(), arena_, EvaluationLimits(), add);
  if (status.ok() && wrong.empty()) return;
  run.items.clear();
  Fail(step, std::nullopt, wrong.empty() ? EvaluationProblem(status, "items can't be told") : Problem{502, wrong});
  Finish(step);
}

absl::StatusOr<http::RequestHead*> Composition::MakeHead(const Step& step, std::span<const jq::Binding> bindings) {
  absl::StatusOr<std::string> target = step.path.Expand(bindings, jq::TemplatePlace::kPath, limits_.text_bytes_max);
  if (!target.ok()) return target.status();
  for (size_t i = 0; i < step.query.size(); ++i) {
    const absl::StatusOr<std::string> value =
        step.query[i].value.Expand(bindings, jq::TemplatePlace::kQueryValue, limits_.text_bytes_max);
    if (!value.ok()) return value.status();
    *target += base::Concat(i == 0 ? "?" : "&", step.query[i].name, "=", *value);
  }
  if (target->size() > limits_.text_bytes_max) return absl::ResourceExhaustedError("request target is too long");
  auto* head = arena_.New<http::RequestHead>(arena_);
  head->method = "GET";
  head->scheme = "http";
  head->authority = plan_->backends[step.backend].name;
  head->path = arena_.Copy(*target);
  head->framing.ends_with_head = true;
  head->fields.Add(http::FieldId::kAccept, "application/json");
  for (const auto& [name, value] : input_.tracing)
    head->fields.Add(name, value);
  for (const NamedTemplate& field : step.fields) {
    const absl::StatusOr<std::string> value =
        field.value.Expand(bindings, jq::TemplatePlace::kHeaderValue, limits_.text_bytes_max);
    if (!value.ok()) return value.status();
    head->fields.Set(field.name, *value);
  }
  return head;
}

void Composition::StartCall(size_t step, size_t item) {
  StepRun& run = runs_[step];
  if (const auto problem = CountBytes()) return Fail(step, item, *problem);
  std::vector<jq::Binding> bindings = bindings_;
  bindings.push_back({"each", run.items[item].each});
  const absl::StatusOr<http::RequestHead*> head = MakeHead(plan_->steps[step], bindings);
  if (!head.ok()) return Fail(step, item, {502, "input is missing", base::ToStd(head.status().message())});
  call::CallRequest request{.head = *head, .arena = &arena_, .attempt_timeout = plan_->steps[step].call_timeout};
  if (input_.spans != nullptr) request.span = PlaceOfSpan(**head, *input_.spans);
  ++run.under_way;
  run.items[item].call = std::make_unique<ItemCall>(*this, step, item);
  run.items[item].call->Start(*input_.backends[plan_->steps[step].backend], request);
}

void Composition::Settle(size_t step, size_t item, base::Json result) {
  runs_[step].items[item].result = result;
}

// Without an item it is the step as a whole: its items are not known, so neither null nor fallback has a place.
void Composition::Fail(size_t step, std::optional<size_t> item, const Problem& problem) {
  const Step& plan = plan_->steps[step];
  ++runs_[step].failed;
  if (plan.failure_rule == FailureRule::kFail) {
    if (failure_) return;
    runs_[step].duration = Now() - begun_at_ - runs_[step].begin;
    const std::string_view key = item ? runs_[step].items[*item].key : std::string_view();
    failure_ = Failure{problem.status, plan.name, Shortened(key, kItemBytesMax), std::string(problem.reason),
                       std::string(problem.detail)};
    return;
  }
  failures_.push_back({step, item, arena_.Copy(problem.reason)});
  if (item && plan.failure_rule == FailureRule::kUseFallback)
    Settle(step, *item, ResponseObject(0, base::Json::Object(arena_, {}), plan.fallback, arena_));
}

void Composition::Finish(size_t step) {
  StepRun& run = runs_[step];
  run.state = StepState::kFinished;
  run.duration = Now() - begun_at_ - run.begin;
  if (!plan_->steps[step].for_each) {
    run.result = run.items[0].result;
  } else {
    std::vector<base::JsonMember> members;
    for (const Item& item : run.items)
      members.push_back({item.key, item.result});
    run.result = base::Json::Object(arena_, members);
  }
  bindings_.push_back({plan_->steps[step].name, run.result});
}

std::vector<observe::StepRecord> Composition::Records() const {
  std::vector<observe::StepRecord> records;
  for (size_t i = 0; i < runs_.size(); ++i) {
    const Step& step = plan_->steps[i];
    const StepRun& run = runs_[i];
    const bool finished = run.state == StepState::kFinished;
    records.push_back({.name = step.name,
                       .outcome = OutcomeOf(step.failure_rule, run.failed, finished),
                       .for_each = step.for_each.has_value(),
                       .items = run.items.size(),
                       .failed = run.failed,
                       .begin = run.begin,
                       .duration = run.duration});
    const bool running = run.state == StepState::kRunning && run.duration == base::Duration(0);
    if (running) records.back().duration = Now() - begun_at_ - run.begin;
  }
  return records;
}

// What forbids that this grows any further.
std::optional<Composition::Problem> Composition::CountBytes() {
  share_.Set(arena_.bytes() + held_bytes_);
  if (share_.room() == 0) return Problem{503, kTooMuchAtOnce};
  if (arena_.bytes() > limits_.arena_bytes_max) return Problem{502, "contents are too large"};
  return std::nullopt;
}

jq::EvaluateLimits Composition::EvaluationLimits() {
  jq::EvaluateLimits limits;
  limits.fuel = limits_.evaluation_fuel;
  limits.shared_fuel = &fuel_;
  limits.output_bytes_max = limits_.answer_bytes_max;
  const size_t own_room = limits_.arena_bytes_max - std::min(arena_.bytes(), limits_.arena_bytes_max);
  limits.arena_bytes_max = std::min(own_room, share_.room());
  return limits;
}

// A program that found no room because the worker has less than it may use is not at fault.
Composition::Problem Composition::EvaluationProblem(const absl::Status& status, std::string_view reason) const {
  const bool full = status.code() == absl::StatusCode::kResourceExhausted && share_.room() < limits_.arena_bytes_max;
  const std::string_view detail = base::ToStd(status.message());
  return full ? Problem{503, kTooMuchAtOnce, detail} : Problem{502, reason, detail};
}

base::Json Composition::FailureList() {
  // In the order of steps and items, not of their ends: the same failures make the same answer.
  std::ranges::sort(failures_, {}, [](const Listed& listed) { return std::pair(listed.step, listed.item); });
  std::vector<base::Json> list;
  for (const Listed& listed : failures_) {
    const bool each = listed.item && plan_->steps[listed.step].for_each;
    const base::Json item = each ? runs_[listed.step].items[*listed.item].each : base::Json();
    const base::JsonMember members[] = {{"step", base::Json::String(plan_->steps[listed.step].name)},
                                        {"item", item},
                                        {"reason", base::Json::String(listed.reason)}};
    list.push_back(base::Json::Object(arena_, members));
  }
  return base::Json::Array(arena_, list);
}

absl::StatusOr<Answer> Composition::MakeAnswer() {
  fuel_.left += AnswerFuel();
  bindings_.push_back({"failures", FailureList()});
  Answer answer;
  for (const NamedTemplate& field : plan_->answer_fields) {
    absl::StatusOr<std::string> value =
        field.value.Expand(bindings_, jq::TemplatePlace::kHeaderValue, limits_.text_bytes_max);
    if (!value.ok()) return value.status();
    answer.fields.emplace_back(field.name, *std::move(value));
  }
  const auto add_default = [&](std::string_view name, std::string_view value) {
    if (std::ranges::none_of(answer.fields, [&](const auto& field) { return field.first == name; }))
      answer.fields.emplace_back(name, value);
  };
  add_default("cache-control", "private, no-store");
  add_default("content-type", "application/json");
  std::vector<std::string> incomplete;
  for (const Listed& listed : failures_) {
    const std::string& name = plan_->steps[listed.step].name;
    if (incomplete.empty() || incomplete.back() != name) incomplete.push_back(name);
  }
  if (!incomplete.empty()) add_default("portico-incomplete", base::Join(incomplete, ", "));
  const absl::StatusOr<base::Json> body =
      jq::EvaluateOne(plan_->answer, bindings_, base::Json(), arena_, EvaluationLimits());
  if (!body.ok()) return body.status();
  absl::StatusOr<std::string> content = base::PrintJson(*body, limits_.answer_bytes_max);
  if (!content.ok()) return content.status();
  answer.content = *std::move(content);
  return answer;
}

}  // namespace portico::compose
