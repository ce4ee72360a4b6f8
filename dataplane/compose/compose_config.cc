#include "dataplane/compose/compose_config.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/duration_config.h"

namespace portico::compose {
namespace {

constexpr size_t kStepsMax = 32;
constexpr size_t kItemsMax = 100;           // of forEach, and the default
constexpr size_t kParallelDefault = 8;      // few enough for a small service
constexpr size_t kFallbackDepthMax = 100;   // a fallback is written by hand
constexpr std::string_view kEach = "each";  // the item, in the templates of a call with forEach

absl::Status Invalid(std::string_view place, std::string_view reason) {
  return absl::InvalidArgumentError(base::ToAbsl(base::Concat(place, ": ", reason)));
}

absl::Status Within(std::string_view place, const absl::Status& status) {
  return Invalid(place, base::ToStd(status.message()));
}

// What the proxy itself decides about a message: its framing and its connection (RFC 9110 sections 7.2, 7.6.1, 8.6).
bool IsReservedField(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kReserved = {
      "connection", "content-length", "expect",           "host", "keep-alive", "portico-incomplete", "te",
      "trailer",    "upgrade",        "transfer-encoding"};
  return std::ranges::find(kReserved, name) != kReserved.end() || name.starts_with("proxy-");
}

std::string EncodeQueryName(std::string_view name) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : name) {
    const auto byte = static_cast<unsigned char>(c);
    const bool unreserved = (c >= '0' && c <= '9') || (base::LowerAscii(c) >= 'a' && base::LowerAscii(c) <= 'z') ||
                            c == '-' || c == '.' || c == '_' || c == '~';  // RFC 3986 section 2.3
    if (unreserved) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

absl::StatusOr<base::Json> DecodeValue(const google::protobuf::Value& value, base::Arena& arena, size_t depth) {
  if (depth > kFallbackDepthMax) return Invalid("fallback", "nested too deeply");
  if (value.has_bool_value()) return base::Json::Bool(value.bool_value());
  if (value.has_number_value()) return base::Json::Number(value.number_value());
  if (value.has_string_value()) return base::Json::String(arena.Copy(value.string_value()));
  if (value.has_list_value()) {
    std::vector<base::Json> items;
    for (const google::protobuf::Value& item : value.list_value().values()) {
      absl::StatusOr<base::Json> decoded = DecodeValue(item, arena, depth + 1);
      if (!decoded.ok()) return decoded.status();
      items.push_back(*decoded);
    }
    return base::Json::Array(arena, items);
  }
  if (value.has_struct_value()) {
    // The message's map has no order; sorted, every run prints the same.
    std::set<std::string_view> names;
    for (const auto& [name, member] : value.struct_value().fields())
      names.insert(name);
    std::vector<base::JsonMember> members;
    for (const std::string_view name : names) {
      absl::StatusOr<base::Json> decoded =
          DecodeValue(value.struct_value().fields().at(std::string(name)), arena, depth + 1);
      if (!decoded.ok()) return decoded.status();
      members.push_back({arena.Copy(name), *decoded});
    }
    return base::Json::Object(arena, members);
  }
  return base::Json();
}

class Builder {
 public:
  explicit Builder(const v1::Composition& composition) : message_(composition) {}

  absl::StatusOr<std::shared_ptr<const Plan>> Build();

 private:
  absl::Status CollectNames();
  absl::Status AddStep(const v1::CompositionStep& message, std::string_view place);
  absl::Status ReadForEach(const v1::CompositionStep& message, Step& step);
  absl::Status ReadCall(const v1::CompositionStep& message, Step& step);
  absl::Status ReadFailureRule(const v1::CompositionStep& message, Step& step);
  absl::Status ReadAnswer();
  absl::StatusOr<jq::Template> ReadTemplate(std::string_view text, std::string_view place,
                                            const std::vector<std::string>& names);
  absl::StatusOr<std::vector<NamedTemplate>> ReadFields(const google::protobuf::RepeatedPtrField<v1::Header>& messages,
                                                        std::string_view place, const std::vector<std::string>& names);
  size_t BackendPlace(const v1::BackendObjectReference& reference);
  void AddInputs(Step& step, const std::vector<std::string>& variables);
  bool FindCycle(size_t step, std::vector<size_t>& path, std::vector<bool>& finished) const;
  absl::Status CheckCycles() const;

  const v1::Composition& message_;
  std::vector<std::string> names_;  // request, identity, then the steps in order
  std::shared_ptr<Plan> plan_;
};

constexpr size_t kFirstStepName = 2;

absl::Status Builder::CollectNames() {
  names_ = {"request", "identity"};
  std::set<std::string_view> taken = {"request", "identity", "failures", kEach, "ENV", "__loc__"};
  const auto& steps = message_.spec().steps();
  if (steps.empty() || static_cast<size_t>(steps.size()) > kStepsMax) return Invalid("steps", "1 to 32 are possible");
  for (const v1::CompositionStep& step : steps) {
    if (step.name().empty()) return Invalid("steps", "a step has no name");
    if (!taken.insert(step.name()).second) return Invalid("steps", base::Concat(step.name(), " is taken"));
    names_.push_back(step.name());
  }
  return absl::OkStatus();
}

void Builder::AddInputs(Step& step, const std::vector<std::string>& variables) {
  for (const std::string& variable : variables) {
    const auto place = static_cast<size_t>(std::ranges::find(names_, variable) - names_.begin());
    if (place < kFirstStepName || place == names_.size()) continue;
    step.inputs.push_back(place - kFirstStepName);
  }
  std::ranges::sort(step.inputs);
  step.inputs.erase(std::ranges::unique(step.inputs).begin(), step.inputs.end());
}

absl::StatusOr<jq::Template> Builder::ReadTemplate(std::string_view text, std::string_view place,
                                                   const std::vector<std::string>& names) {
  absl::StatusOr<jq::Template> parsed = jq::Template::Parse(text);
  if (!parsed.ok()) return Within(place, parsed.status());
  for (const std::string& variable : parsed->variables()) {
    if (std::ranges::find(names, variable) == names.end()) {
      return Invalid(place, base::Concat("${", variable, "} is not defined"));
    }
  }
  return parsed;
}

absl::StatusOr<std::vector<NamedTemplate>> Builder::ReadFields(
    const google::protobuf::RepeatedPtrField<v1::Header>& messages, std::string_view place,
    const std::vector<std::string>& names) {
  std::vector<NamedTemplate> out;
  for (const v1::Header& message : messages) {
    std::string name = base::LowerAscii(message.name());
    if (name.empty() || IsReservedField(name)) return Invalid(place, base::Concat(name, " can't be set"));
    absl::StatusOr<jq::Template> value = ReadTemplate(message.value(), base::Concat(place, ": ", name), names);
    if (!value.ok()) return value.status();
    out.push_back({std::move(name), *std::move(value)});
  }
  return out;
}

size_t Builder::BackendPlace(const v1::BackendObjectReference& reference) {
  BackendKey key;
  key.name_space = !reference.namespace_().empty()             ? reference.namespace_()
                   : !message_.metadata().namespace_().empty() ? message_.metadata().namespace_()
                                                               : "default";
  key.name = reference.name();
  if (reference.has_port()) key.port = static_cast<uint16_t>(reference.port());
  const auto found = std::ranges::find(plan_->backends, key);
  const auto place = static_cast<size_t>(found - plan_->backends.begin());
  if (found == plan_->backends.end()) plan_->backends.push_back(std::move(key));
  return place;
}

absl::Status Builder::ReadForEach(const v1::CompositionStep& message, Step& step) {
  if (!message.has_for_each()) return absl::OkStatus();
  absl::StatusOr<jq::Program> items = jq::Program::Compile(message.for_each().items(), names_);
  if (!items.ok()) return Within("forEach.items", items.status());
  AddInputs(step, items->variables_used());
  const size_t items_max = message.for_each().has_max_items() ? message.for_each().max_items() : kItemsMax;
  const size_t parallel = message.for_each().has_parallel() ? message.for_each().parallel() : kParallelDefault;
  if (items_max < 1 || items_max > kItemsMax) return Invalid("forEach.maxItems", "1 to 100 are possible");
  if (parallel < 1 || parallel > kItemsMax) return Invalid("forEach.parallel", "1 to 100 are possible");
  step.for_each.emplace(ForEach{*std::move(items), items_max, parallel});
  return absl::OkStatus();
}

absl::Status Builder::ReadCall(const v1::CompositionStep& message, Step& step) {
  const v1::CompositionCall& call = message.call();
  if (call.backend_ref().name().empty()) return Invalid("call.backendRef", "required");
  if (!call.path().starts_with("/")) return Invalid("call.path", "must begin with /");
  step.backend = BackendPlace(call.backend_ref());
  std::vector<std::string> names = names_;
  if (step.for_each) names.emplace_back(kEach);
  absl::StatusOr<jq::Template> path = ReadTemplate(call.path(), "call.path", names);
  if (!path.ok()) return path.status();
  step.path = *std::move(path);
  AddInputs(step, step.path.variables());
  for (const v1::QueryParameter& parameter : call.query()) {
    absl::StatusOr<jq::Template> value =
        ReadTemplate(parameter.value(), base::Concat("call.query: ", parameter.name()), names);
    if (!value.ok()) return value.status();
    AddInputs(step, value->variables());
    step.query.push_back({EncodeQueryName(parameter.name()), *std::move(value)});
  }
  absl::StatusOr<std::vector<NamedTemplate>> fields = ReadFields(call.headers(), "call.headers", names);
  if (!fields.ok()) return fields.status();
  step.fields = *std::move(fields);
  for (const NamedTemplate& field : step.fields)
    AddInputs(step, field.value.variables());
  return absl::OkStatus();
}

absl::Status Builder::ReadFailureRule(const v1::CompositionStep& message, Step& step) {
  for (const uint32_t status : message.absent_on()) {
    if (status < 400 || status > 499) return Invalid("absentOn", "400 to 499 are possible");
    step.absent_on.push_back(static_cast<int>(status));
  }
  const bool use_fallback = message.on_failure() == v1::ON_FAILURE_USE_FALLBACK;
  if (use_fallback != message.has_fallback()) return Invalid("fallback", "required with UseFallback, and only then");
  if (message.on_failure() == v1::ON_FAILURE_USE_NULL) step.failure_rule = FailureRule::kUseNull;
  if (!use_fallback) return absl::OkStatus();
  step.failure_rule = FailureRule::kUseFallback;
  absl::StatusOr<base::Json> fallback = DecodeValue(message.fallback(), plan_->arena, 0);
  if (!fallback.ok()) return fallback.status();
  step.fallback = *fallback;
  return absl::OkStatus();
}

absl::Status Builder::AddStep(const v1::CompositionStep& message, std::string_view place) {
  Step step;
  step.name = message.name();
  for (const auto read : {&Builder::ReadForEach, &Builder::ReadCall, &Builder::ReadFailureRule}) {
    if (absl::Status status = (this->*read)(message, step); !status.ok()) return Within(place, status);
  }
  if (message.timeouts().has_request()) step.call_timeout = base::DecodeDuration(message.timeouts().request());
  plan_->steps.push_back(std::move(step));
  return absl::OkStatus();
}

// Depth first; a step met again on the way to itself closes a cycle, and `path` then is that cycle.
bool Builder::FindCycle(size_t step, std::vector<size_t>& path, std::vector<bool>& finished) const {
  if (finished[step]) return false;
  const auto before = std::ranges::find(path, step);
  if (before != path.end()) {
    path.erase(path.begin(), before);
    path.push_back(step);
    return true;
  }
  path.push_back(step);
  for (const size_t input : plan_->steps[step].inputs) {
    if (FindCycle(input, path, finished)) return true;
  }
  path.pop_back();
  finished[step] = true;
  return false;
}

absl::Status Builder::CheckCycles() const {
  std::vector<bool> finished(plan_->steps.size());
  for (size_t step = 0; step < plan_->steps.size(); ++step) {
    std::vector<size_t> path;
    if (!FindCycle(step, path, finished)) continue;
    std::vector<std::string> names;
    for (const size_t member : path)
      names.push_back(plan_->steps[member].name);
    return Invalid("steps depend on each other", base::Join(names, " -> "));
  }
  return absl::OkStatus();
}

absl::Status Builder::ReadAnswer() {
  std::vector<std::string> names = names_;
  names.emplace_back("failures");
  absl::StatusOr<jq::Program> body = jq::Program::Compile(message_.spec().answer().body(), names);
  if (!body.ok()) return Within("answer.body", body.status());
  plan_ = std::make_shared<Plan>(*std::move(body));
  absl::StatusOr<std::vector<NamedTemplate>> fields =
      ReadFields(message_.spec().answer().headers(), "answer.headers", names);
  if (!fields.ok()) return fields.status();
  plan_->answer_fields = *std::move(fields);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Plan>> Builder::Build() {
  if (absl::Status status = CollectNames(); !status.ok()) return status;
  if (absl::Status status = ReadAnswer(); !status.ok()) return status;
  for (int place = 0; place < message_.spec().steps_size(); ++place) {
    const v1::CompositionStep& step = message_.spec().steps(place);
    absl::Status status = AddStep(step, base::Concat("steps[", place, "] (", step.name(), ")"));
    if (!status.ok()) return status;
  }
  if (absl::Status status = CheckCycles(); !status.ok()) return status;
  return std::shared_ptr<const Plan>(std::move(plan_));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Plan>> BuildPlan(const v1::Composition& composition) {
  return Builder(composition).Build();
}

}  // namespace portico::compose
