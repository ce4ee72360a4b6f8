#include "test/simulation/waiting_filter.h"

#include <optional>
#include <string>
#include <utility>

#include "dataplane/event/timer.h"
#include "dataplane/filter/problem.h"

namespace portico::simulation {
namespace {

class WaitingFilter final : public filter::Filter, private event::Timer::Handler {
 public:
  WaitingFilter(event::Loop& loop, Judge& judge) : loop_(loop), judge_(judge), timer_(loop.timers(), *this) {
    ++judge_.filters;
  }
  ~WaitingFilter() override {
    --judge_.filters;
    // Work that could not be called back: it finds nobody.
    if (resume_) loop_.Post([resume = *resume_] { resume(filter::Continue()); });
  }

  filter::Verdict OnRequestHead(filter::FilterContext& context, filter::Resume resume) override {
    const Script* script = judge_.Find(context.request.fields.Combined("x-token").value_or(""));
    if (script == nullptr) return filter::ProblemReply(500, "no token");
    token_ = script->token;
    denies_ = script->denied();
    const bool waits = script->filter != Script::Filter::kPass && script->filter != Script::Filter::kDeny;
    if (!waits) return Verdict();
    ++judge_.tally.waits;
    resume_ = std::move(resume);
    if (script->filter != Script::Filter::kNever) timer_.Set(loop_.Now() + script->filter_delay);
    return filter::Wait();
  }

 private:
  filter::Verdict Verdict() {
    if (denies_) return filter::ProblemReply(401, "not you");
    judge_.FilterPassed(token_);
    return filter::Continue();
  }
  // The filter may be gone after the first call; the second one is a mistake of its own that has to be harmless.
  void OnTimer(event::Timer&) override {
    const filter::Resume resume = *resume_;
    resume(Verdict());
    resume(filter::ProblemReply(500, "too late"));
  }

  event::Loop& loop_;
  Judge& judge_;
  event::Timer timer_;
  std::optional<filter::Resume> resume_;
  std::string token_;
  bool denies_ = false;
};

}  // namespace

std::unique_ptr<filter::Filter> WaitingFilterConfig::MakeFilter(filter::WorkerSlots&) const {
  return std::make_unique<WaitingFilter>(loop_, judge_);
}

}  // namespace portico::simulation
