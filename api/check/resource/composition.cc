#include "api/check/resource/composition.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/json.h"
#include "api/base/text.h"
#include "api/check/resource/bounds.h"
#include "api/check/resource/names.h"
#include "api/jq/program.h"
#include "api/jq/template.h"
#include "google/protobuf/duration.pb.h"
#include "google/protobuf/struct.pb.h"

namespace portico::check {
namespace {

using base::Concat;
using jq::TemplatePlace;
using Names = std::vector<std::string>;

// The bounds that the messages document.
constexpr int kStepsMax = 32;                 // the graph stays one that people can draw
constexpr size_t kNameBytesMax = 63;          // of a step: a DNS label's
constexpr uint32_t kItemsMax = 100;           // of forEach, and of its calls at the same time
constexpr int kListMax = 16;                  // query parameters, fields, statuses
constexpr size_t kPathBytesMax = 1024;        // as for the paths of routes
constexpr size_t kParameterBytesMax = 1024;   // of the value of a query parameter
constexpr size_t kFieldNameBytesMax = 256;    // of a query parameter's name as well
constexpr size_t kFieldValueBytesMax = 4096;  // longer fields are refused by many origins
constexpr size_t kFallbackBytesMax = 65536;   // it is written by hand
constexpr size_t kFallbackDepthMax = 100;     // the same
constexpr int64_t kTimeoutMax_s = 24 * 60 * 60;
constexpr int32_t kTimeoutMin_ns = 1'000'000;

bool IsStepName(std::string_view text) {
  const auto letter = [](char c) { return c == '_' || (base::LowerAscii(c) >= 'a' && base::LowerAscii(c) <= 'z'); };
  return !text.empty() && text.size() <= kNameBytesMax && letter(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

bool IsReservedName(std::string_view text) {
  static constexpr std::array<std::string_view, 6> kNames = {"request", "identity", "failures",
                                                             "each",    "ENV",      "__loc__"};
  return std::ranges::find(kNames, text) != kNames.end();
}

// What a proxy decides about a message beyond the fields of the connection (RFC 9110 sections 7.6.1, 10.1.1 and 11.7),
// and what a composition says about itself.
bool IsProxyField(std::string_view name) {
  const std::string lower = base::LowerAscii(name);
  return IsReservedField(lower) || lower == "expect" || lower == "portico-incomplete" || lower.starts_with("proxy-");
}

bool IsControl(char c) {
  return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

// Expansions hold none of these characters, so the text as written tells.
bool IsFit(std::string_view text, TemplatePlace place) {
  if (place == TemplatePlace::kHeaderValue) return std::ranges::none_of(text, IsControl);
  const char delimiter = place == TemplatePlace::kPath ? '?' : '&';
  return std::ranges::all_of(text, [&](char c) { return c > ' ' && c < 0x7f && c != '#' && c != delimiter; });
}

std::string_view FitText(TemplatePlace place) {
  switch (place) {
    case TemplatePlace::kPath:
      return "must hold no ?, #, space, control or non-ASCII character; parameters go in query";
    case TemplatePlace::kQueryValue:
      return "must hold no &, #, space, control or non-ASCII character; percent-encode it";
    case TemplatePlace::kHeaderValue:
      return "must hold no control character (RFC 9110 section 5.5)";
  }
  return "";
}

bool IsTimeout(const google::protobuf::Duration& duration) {
  if (duration.seconds() < 0 || duration.nanos() < 0) return false;
  if (duration.seconds() == 0) return duration.nanos() >= kTimeoutMin_ns;
  return duration.seconds() < kTimeoutMax_s || (duration.seconds() == kTimeoutMax_s && duration.nanos() == 0);
}

// False: over a limit, or no JSON because a number is not finite. Commas count as one for each item.
bool AppendValue(std::string& text, const google::protobuf::Value& value, size_t depth) {
  if (depth > kFallbackDepthMax || text.size() > kFallbackBytesMax) return false;
  if (value.has_number_value()) {
    if (!std::isfinite(value.number_value())) return false;
    base::AppendJsonNumber(text, base::Json::Number(value.number_value()));
  } else if (value.has_string_value()) {
    base::AppendJsonString(text, value.string_value());
  } else if (value.has_bool_value()) {
    text += value.bool_value() ? "true" : "false";
  } else if (value.has_list_value()) {
    text += value.list_value().values().empty() ? "[]" : "[";
    for (const google::protobuf::Value& item : value.list_value().values()) {
      if (!AppendValue(text, item, depth + 1)) return false;
      text += ',';
    }
  } else if (value.has_struct_value()) {
    text += value.struct_value().fields().empty() ? "{}" : "{";
    for (const auto& [name, member] : value.struct_value().fields()) {
      base::AppendJsonString(text, name);
      text += ':';
      if (!AppendValue(text, member, depth + 1)) return false;
      text += ',';
    }
  } else {
    text += "null";
  }
  return text.size() <= kFallbackBytesMax;
}

class CompositionChecker {
 public:
  CompositionChecker(const ResourceKey& key, const portico::v1::CompositionSpec& spec) : key_(key), spec_(spec) {}

  Violations Run() {
    // Nothing else is worth judging, or bounded.
    if (spec_.steps().empty() || spec_.steps_size() > kStepsMax) {
      Add("spec.steps", Concat("must have 1 to ", kStepsMax, " items"));
      return std::move(violations_);
    }
    for (int i = 0; i < spec_.steps_size(); ++i)
      StepName(spec_.steps(i).name(), StepPath(i) + ".name");
    for (int i = 0; i < spec_.steps_size(); ++i)
      Step(spec_.steps(i), StepPath(i));
    Answer();
    if (violations_.empty()) Cycles();
    return std::move(violations_);
  }

 private:
  static std::string StepPath(int step) { return Concat("spec.steps[", step, "]"); }

  void Add(std::string path, std::string message) {
    violations_.push_back({key_, std::move(path), std::move(message)});
  }

  bool Count(const std::string& path, int count) {
    if (count > kListMax) Add(path, Concat("must have at most ", kListMax, " items"));
    return count <= kListMax;
  }

  void StepName(const std::string& name, std::string path) {
    if (name.empty()) return Add(std::move(path), "is missing");
    if (!IsStepName(name)) {
      return Add(std::move(path), "must be a letter or '_', then letters, digits and '_', at most 63 bytes");
    }
    if (IsReservedName(name)) {
      return Add(std::move(path), "must not be request, identity, failures, each, ENV or __loc__, which are reserved");
    }
    if (std::ranges::find(names_, name) != names_.end()) return Add(std::move(path), "is the name of another step");
    names_.push_back(name);
  }

  void Step(const portico::v1::CompositionStep& step, const std::string& path) {
    user_ = step.name();
    if (step.has_for_each()) ForEach(step.for_each(), path + ".forEach");
    Call(step, path + ".call");
    if (step.timeouts().has_request() && !IsTimeout(step.timeouts().request())) {
      Add(path + ".timeouts.request", "must be 1ms to 24h");
    }
    if (Count(path + ".absentOn", step.absent_on_size())) {
      for (int i = 0; i < step.absent_on_size(); ++i) {
        const uint32_t status = step.absent_on(i);
        if (status < 400 || status > 499) Add(Concat(path, ".absentOn[", i, "]"), "must be 400 to 499");
      }
    }
    Fallback(step, path + ".fallback");
  }

  void Fallback(const portico::v1::CompositionStep& step, std::string path) {
    const bool wanted = step.on_failure() == portico::v1::ON_FAILURE_USE_FALLBACK;
    if (wanted && !step.has_fallback()) return Add(std::move(path), "is missing, and onFailure is UseFallback");
    if (!wanted && step.has_fallback()) return Add(std::move(path), "is for onFailure UseFallback alone");
    std::string text;
    if (wanted && !AppendValue(text, step.fallback(), 1)) {
      Add(std::move(path), Concat("must be JSON of at most ", kFallbackBytesMax, " bytes and ", kFallbackDepthMax,
                                  " levels, with finite numbers"));
    }
  }

  void ForEach(const portico::v1::ForEach& for_each, const std::string& path) {
    Program(for_each.items(), path + ".items", names_);
    const auto bounded = [](uint32_t count) { return count >= 1 && count <= kItemsMax; };
    const std::string bounds = Concat("must be 1 to ", kItemsMax);
    if (for_each.has_max_items() && !bounded(for_each.max_items())) Add(path + ".maxItems", bounds);
    if (for_each.has_parallel() && !bounded(for_each.parallel())) Add(path + ".parallel", bounds);
  }

  void Call(const portico::v1::CompositionStep& step, const std::string& path) {
    const portico::v1::CompositionCall& call = step.call();
    const portico::v1::BackendObjectReference& backend = call.backend_ref();
    for (Violation& violation : CheckBounds(backend, path + ".backendRef", key_))
      violations_.push_back(std::move(violation));
    Names names = names_;
    if (step.has_for_each()) names.emplace_back("each");
    Path(call.path(), path + ".path", names);
    if (Count(path + ".query", call.query_size())) {
      for (int i = 0; i < call.query_size(); ++i) {
        const portico::v1::QueryParameter& parameter = call.query(i);
        const std::string item = Concat(path, ".query[", i, "]");
        if (parameter.name().empty() || parameter.name().size() > kFieldNameBytesMax) {
          Add(item + ".name", Concat("must be 1 to ", kFieldNameBytesMax, " bytes"));
        }
        Template(parameter.value(), item + ".value", TemplatePlace::kQueryValue, kParameterBytesMax, names);
      }
    }
    Fields(call.headers(), path + ".headers", names);
  }

  void Path(const std::string& text, const std::string& path, const Names& names) {
    if (text.empty()) return Add(path, "is missing");
    if (!text.starts_with('/')) return Add(path, "must begin with /");
    const auto segments = base::Split(text, '/');
    if (std::ranges::any_of(segments, [](std::string_view segment) { return segment == "." || segment == ".."; })) {
      return Add(path, "must not hold the segments . and ..");
    }
    Template(text, path, TemplatePlace::kPath, kPathBytesMax, names);
  }

  void Fields(const google::protobuf::RepeatedPtrField<portico::v1::Header>& fields, const std::string& path,
              const Names& names) {
    if (!Count(path, fields.size())) return;
    for (int i = 0; i < fields.size(); ++i) {
      const std::string& name = fields[i].name();
      const std::string item = Concat(path, "[", i, "]");
      if (!IsToken(name) || name.size() > kFieldNameBytesMax) {
        Add(item + ".name", "must be the name of a field (RFC 9110 section 5.1), at most 256 bytes");
      } else if (IsProxyField(name)) {
        Add(item + ".name", "is a field of the connection or of framing, which nobody may edit");
      }
      Template(fields[i].value(), item + ".value", TemplatePlace::kHeaderValue, kFieldValueBytesMax, names);
    }
  }

  void Answer() {
    user_.clear();
    Names names = names_;
    names.emplace_back("failures");
    Fields(spec_.answer().headers(), "spec.answer.headers", names);
    Program(spec_.answer().body(), "spec.answer.body", names);
  }

  void Program(const std::string& text, std::string path, const Names& names) {
    if (base::TrimSpace(text).empty()) return Add(std::move(path), "is missing");
    const auto program = jq::Program::Compile(text, names);
    if (!program.ok())
      return Add(std::move(path), Concat("is no jq program: ", base::ToStd(program.status().message())));
    uses_[user_].insert(program->variables_used().begin(), program->variables_used().end());
  }

  void Template(const std::string& text, const std::string& path, TemplatePlace place, size_t bytes_max,
                const Names& names) {
    if (text.size() > bytes_max) return Add(path, Concat("must be at most ", bytes_max, " bytes"));
    const auto parsed = jq::Template::Parse(text);
    if (!parsed.ok()) return Add(path, Concat("is no template: ", base::ToStd(parsed.status().message())));
    if (!IsFit(text, place)) return Add(path, std::string(FitText(place)));
    for (const std::string& variable : parsed->variables()) {
      if (std::ranges::find(names, variable) == names.end()) Add(path, Undefined(variable, names));
    }
    uses_[user_].insert(parsed->variables().begin(), parsed->variables().end());
  }

  static std::string Undefined(const std::string& variable, const Names& names) {
    if (variable == "each") return "${each} is for the call of a step with forEach alone";
    if (variable == "failures") return "${failures} is for the answer alone";
    const std::string_view nearest = base::NearestName(variable, {names.begin(), names.end()});
    const std::string hint = nearest.empty() ? "" : Concat("; did you mean ${", nearest, "}?");
    return Concat("${", variable, "} is not defined", hint);
  }

  // What is left after taking out, one by one, steps that use none of the rest has a cycle behind each of its steps.
  void Cycles() {
    std::vector<std::string> rest;
    for (const auto& step : spec_.steps())
      rest.push_back(step.name());
    const auto used = [&](const std::string& step) {
      return std::ranges::find_if(rest, [&](const std::string& other) { return uses_[step].contains(other); });
    };
    while (true) {
      const auto ready = std::ranges::find_if(rest, [&](const std::string& step) { return used(step) == rest.end(); });
      if (ready == rest.end()) break;
      rest.erase(ready);
    }
    if (rest.empty()) return;
    Names walk = {rest.front()};
    while (true) {
      const std::string next = *used(walk.back());
      const auto seen = std::ranges::find(walk, next);
      const bool closed = seen != walk.end();
      if (closed) walk.erase(walk.begin(), seen);
      walk.push_back(next);
      if (closed) break;
    }
    int first = 0;
    while (spec_.steps(first).name() != walk.front())
      ++first;
    Add(StepPath(first), Concat("depends on itself: ", base::Join(walk, " -> ")));
  }

  const ResourceKey& key_;
  const portico::v1::CompositionSpec& spec_;
  Names names_ = {"request", "identity"};              // and the steps
  std::string user_;                                   // the step whose programs and templates are read; "": the answer
  std::map<std::string, std::set<std::string>> uses_;  // user -> variables
  Violations violations_;
};

}  // namespace

Violations CheckComposition(const ResourceKey& key, const portico::v1::CompositionSpec& spec) {
  return CompositionChecker(key, spec).Run();
}

}  // namespace portico::check
