#include "test/simulation/judge.h"

#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::simulation {
namespace {

constexpr size_t kTokenBytes = 16;

// "/http1/tok…" and "/item/tok…-3" carry it after the second slash; pages are anybody's.
std::string_view TokenOf(const http::RequestHead& head, std::string_view carried) {
  const std::string_view path = head.path;
  if (path.starts_with("/cached/")) return carried;
  const size_t slash = path.find('/', 1);
  return slash == std::string_view::npos ? "" : path.substr(slash + 1, kTokenBytes);
}

bool MayGoTo(Rule rule, std::string_view cluster) {
  switch (rule) {
    case Rule::kHttp1:
    case Rule::kWaiting:
    case Rule::kRetried:
    case Rule::kCached:
      return cluster == "one";
    case Rule::kHttp2:
    case Rule::kDeadline:
    case Rule::kLimited:
      return cluster == "two";
    case Rule::kPair:
    case Rule::kComposition:
      return true;
    case Rule::kDenied:
    case Rule::kDirect:
      return false;
  }
  return false;
}

}  // namespace

void Judge::SetRevision(uint64_t revision) {
  revision_ = revision;
  ++tally.swaps;
  Trace(base::Concat("revision ", revision));
}

const Script& Judge::Begin(Script script) {
  ++tally.rules[static_cast<size_t>(script.rule)];
  if (script.rule == Rule::kLimited) ++limited_begun_;
  const auto [place, fresh] = entries_.insert({script.token, Entry{script, revision_}});
  PORTICO_CHECK(fresh, "two exchanges with one token");
  place->second.begun = world_.Now();
  Trace(base::Concat("begins ", script.path()));
  return place->second.script;
}

const Script* Judge::Find(std::string_view token) {
  const auto found = entries_.find(token);
  if (found != entries_.end()) return &found->second.script;
  Violation(token, "no client has sent this token");
  return nullptr;
}

uint64_t Judge::RevisionAtBegin(std::string_view token) const {
  const auto found = entries_.find(token);
  return found == entries_.end() ? 0 : found->second.revision_at_begin;
}

int Judge::TimesAtOrigin(std::string_view token) const {
  const auto found = entries_.find(token);
  return found == entries_.end() ? 0 : found->second.at_origin;
}

// A bucket that was full once lets so many pass before it refuses any, whatever is configured meanwhile.
void Judge::Limited(std::string_view token) {
  if (limited_begun_ <= kLimitBurst) Violation(token, "it is limited, and so few have come");
}

void Judge::OriginAnswers(std::string_view token) {
  entries_.find(token)->second.answered = world_.Now();
}

void Judge::PageChanged(const Script& script) {
  changes_.push_back({script.page, entries_.find(script.token)->second.arrived, world_.Now()});
}

// Who asked after an answer was too old, or after its page was changed and everybody could know it, does not get it.
const Script* Judge::FindShared(const Script& asked, std::string_view token) {
  const auto found = entries_.find(token);
  const Script* answered = found == entries_.end() ? nullptr : &found->second.script;
  if (answered == nullptr || asked.rule != Rule::kCached || asked.method == "DELETE" || answered->method != "GET" ||
      answered->path() != asked.path() || answered->status != 200) {
    Violation(asked.token, base::Concat("it gets the answer to ", token));
    return nullptr;
  }
  ++tally.shared;
  const base::MonotonicTime begun = entries_.find(asked.token)->second.begun;
  if (begun > found->second.answered + kPageAge) Violation(asked.token, "what it gets is stale");
  for (const Change& change : changes_) {
    if (change.page == asked.page && begun > change.seen && found->second.arrived < change.arrived)
      Violation(asked.token, "what it gets is of before a change");
  }
  return answered;
}

void Judge::FilterPassed(std::string_view token) {
  const auto found = entries_.find(token);
  if (found != entries_.end()) found->second.filter_passed = true;
}

const Script* Judge::AtOrigin(const http::RequestHead& head, std::string_view cluster) {
  ++tally.at_origins;
  const std::string_view carried = head.fields.Combined("x-request-id").value_or("");
  const std::string_view token = TokenOf(head, carried);
  Trace(base::Concat("at an origin of ", cluster, ": ", head.path));
  const Script* script = Find(token);
  if (script == nullptr) return nullptr;
  if (carried != token) Violation(token, base::Concat("an origin gets it with the identity of ", carried));
  if (script->denied()) Violation(token, "an origin sees what a policy denied");
  if (!MayGoTo(script->rule, cluster)) Violation(token, base::Concat("rule ", RuleName(script->rule), " in ", cluster));
  if (script->rule == Rule::kComposition) return script;

  Entry& entry = entries_.find(token)->second;
  entry.arrived = world_.Now();
  if (script->rule == Rule::kWaiting && !entry.filter_passed) Violation(token, "it went on before its filter said so");
  if (head.method != script->method) Violation(token, base::Concat("the method became ", head.method));
  if (head.path != script->path()) Violation(token, base::Concat("the target became ", head.path));
  CountArrival(*script, ++entry.at_origin);
  return script;
}

// Each attempt may lose a connection that stood idle, and is then made anew by itself.
void Judge::CountArrival(const Script& script, int times) {
  const bool repeatable = script.method != "POST" && script.request_bytes == 0;
  int times_max = repeatable ? 2 : 1;
  if (script.rule == Rule::kRetried && script.method != "POST") {
    const bool is_kept = script.replayable() || !script.request_length_known;
    if (is_kept) times_max *= 1 + kRetryAttempts;
  }
  if (times > times_max) Violation(script.token, "an origin gets it too often");
  if (script.rule != Rule::kLimited || times > 1) return;
  ++limited_passed_;
  const auto filled = static_cast<uint64_t>((world_.Now() - begun_) / kLimitPeriod);
  if (limited_passed_ > kLimitBurst + filled)
    Violation(script.token, "its origin gets more than the limit lets through");
}

void Judge::Violation(std::string_view token, std::string_view what) {
  Trace(base::Concat("violation: ", token, ": ", what));
  if (violations_.size() < kViolationsMax) violations_.push_back(base::Concat(token, ": ", what));
}

}  // namespace portico::simulation
