#include "dataplane/filter/runner.h"

#include <utility>
#include <variant>

#include "api/base/check.h"

namespace portico::filter {

Runner::Runner(const Chain& chain, WorkerSlots& slots, FilterContext context, Delegate& delegate)
    : context_(context), delegate_(delegate), self_(std::make_shared<Resumable*>(static_cast<Resumable*>(this))) {
  filters_.reserve(chain.configs().size());
  for (const std::shared_ptr<const FilterConfig>& config : chain.configs())
    filters_.push_back(config->MakeFilter(slots));
}

// A handle may be in use further up the stack and keep `self_` alive; a filter that is being destroyed resumes nothing.
Runner::~Runner() {
  *self_ = nullptr;
}

void Runner::Start() {
  PORTICO_CHECK(state_ == State::kIdle);
  state_ = State::kRunning;
  Drive(Continue());
}

void Runner::RunRequestTrailers(http::Fields& trailers) {
  for (const std::unique_ptr<Filter>& filter : filters_)
    filter->OnRequestTrailers(context_, trailers);
}

void Runner::RunResponseHead(http::ResponseHead& head) {
  // Also while one waits: a deadline may have made the response.
  for (size_t i = asked_; i > 0; --i)
    filters_[i - 1]->OnResponseHead(context_, head);
}

void Runner::Resumed(uint64_t ticket, Verdict verdict) {
  PORTICO_CHECK(!std::holds_alternative<Wait>(verdict), "a wait ends with Continue or a Reply");
  if (ticket != asked_) return;
  if (state_ == State::kRunning && !early_) {
    early_ = std::move(verdict);
  } else if (state_ == State::kWaiting) {
    state_ = State::kRunning;
    Drive(std::move(verdict));
  }
}

// After a call of the delegate nothing of this may be touched: it may be gone.
void Runner::Drive(Verdict verdict) {
  while (std::holds_alternative<Continue>(verdict) && asked_ < filters_.size()) {
    Filter& filter = *filters_[asked_++];
    early_.reset();
    verdict = filter.OnRequestHead(context_, Resume(self_, asked_));
    if (std::holds_alternative<Wait>(verdict)) {
      if (!early_) {
        state_ = State::kWaiting;
        return;
      }
      verdict = *std::exchange(early_, std::nullopt);
    }
  }
  state_ = State::kDone;
  if (Reply* reply = std::get_if<Reply>(&verdict)) {
    delegate_.OnFiltersReply(std::move(*reply));
  } else {
    delegate_.OnFiltersPassed();
  }
}

}  // namespace portico::filter
