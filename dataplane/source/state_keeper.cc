#include "dataplane/source/state_keeper.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"

namespace portico::source {

using base::Concat;
using base::ToStd;
using observe::Severity;

StateKeeper::StateKeeper(event::Loop& loop, const StateFile& file, observe::ProcessLog& log)
    : loop_(loop), file_(file), log_(log), timer_(loop.timers(), *this) {
  jobs_.emplace("portico-state", loop, /*waiting_max=*/1);
}

StateKeeper::~StateKeeper() {
  jobs_.reset();
  if (step_ == Step::kFinished) return;
  // What the thread was at when it was told to end.
  if (attempt_ != nullptr) {
    if (attempt_->lock.valid()) lock_ = std::move(attempt_->lock);
    const bool written = attempt_->begun && attempt_->locked.ok() && attempt_->written.ok();
    if (unsaved_ == nullptr && !written) unsaved_ = attempt_->state;
  }
  if (unsaved_ == nullptr || !lock_.valid()) return;
  const absl::Status status = file_.Write(*unsaved_);
  if (!status.ok()) log_.Write(Severity::kError, Concat("the state is not kept: ", ToStd(status.message())));
}

void StateKeeper::Start() {
  absl::StatusOr<base::FileDescriptor> lock = file_.Lock();
  if (lock.ok()) {
    lock_ = *std::move(lock);
  } else {
    TryIn(OnNotLocked(lock.status()));
  }
}

void StateKeeper::Keep(SavedState state) {
  if (step_ != Step::kKeeping) return;
  unsaved_ = std::make_shared<const SavedState>(std::move(state));
  if (attempt_ == nullptr && !timer_.deadline()) TrySoon();
}

void StateKeeper::Finish() {
  if (step_ != Step::kKeeping) return;
  step_ = Step::kFinishing;
  timer_.Forget();
  if (attempt_ != nullptr) return;
  if (unsaved_ != nullptr) return Try();
  Finished();
}

void StateKeeper::TryIn(base::Duration pause) {
  timer_.Set(loop_.Now() + pause);
}

void StateKeeper::TrySoon() {
  timer_.Set(std::max(loop_.Now() + kSavePause, rested_));
}

void StateKeeper::Try() {
  begun_ = loop_.Now();
  attempt_ = std::make_shared<Attempt>();
  attempt_->state = std::exchange(unsaved_, nullptr);
  const bool accepted = jobs_->TryRun<bool>(
      [this, has_lock = lock_.valid(), attempt = attempt_] {
        Run(file_, has_lock, *attempt);
        return true;
      },
      [this](bool) { OnTried(); });
  PORTICO_CHECK(accepted, "one at a time");
}

void StateKeeper::Run(const StateFile& file, bool has_lock, Attempt& attempt) {
  attempt.begun = true;
  if (!has_lock) {
    absl::StatusOr<base::FileDescriptor> lock = file.Lock();
    attempt.locked = lock.status();
    if (!lock.ok()) return;
    attempt.lock = *std::move(lock);
  }
  if (attempt.state != nullptr) attempt.written = file.Write(*attempt.state);
}

void StateKeeper::OnTried() {
  const std::shared_ptr<Attempt> attempt = std::exchange(attempt_, nullptr);
  rested_ = loop_.Now() + std::min((loop_.Now() - begun_) * kRest, kRestMax);
  if (attempt->lock.valid()) lock_ = std::move(attempt->lock);
  const std::optional<base::Duration> pause =
      lock_.valid() ? OnWritten(attempt->written) : OnNotLocked(attempt->locked);
  if (pause.has_value() && unsaved_ == nullptr) unsaved_ = attempt->state;
  if (!pause.has_value() && attempt->state != nullptr)
    log_.Write(Severity::kDebug, Concat(file_.path(), ": revision ", attempt->state->revision, " is kept"));
  if (step_ == Step::kKeeping) {
    if (pause.has_value()) {
      TryIn(*pause);
    } else if (unsaved_ != nullptr) {
      TrySoon();
    }
  } else if (!pause.has_value() && unsaved_ != nullptr) {
    Try();  // what came while the last try was under way
  } else {
    Finished();
  }
}

// Written or not: the next process shall not wait for a disk that is full.
void StateKeeper::Finished() {
  step_ = Step::kFinished;
  lock_.Reset();
}

base::Duration StateKeeper::OnNotLocked(const absl::Status& status) {
  Tell(Severity::kWarning, ToStd(status.message()), "the state is not kept until this process can lock it");
  return kLockPause;
}

std::optional<base::Duration> StateKeeper::OnWritten(const absl::Status& status) {
  if (status.ok()) {
    retry_ = kRetryMin;
    if (!std::exchange(trouble_, "").empty())
      log_.Write(Severity::kInfo, Concat(file_.path(), ": the state is kept from now on"));
    return std::nullopt;
  }
  Tell(Severity::kError, ToStd(status.message()), "the state is not kept, and is tried again ever more slowly");
  return std::exchange(retry_, std::min(retry_ * 2, kRetryMax));
}

void StateKeeper::Tell(Severity severity, std::string_view trouble, std::string_view then) {
  const bool again = trouble_ == trouble;
  log_.Write(again ? Severity::kDebug : severity, Concat(trouble, "; ", then));
  trouble_ = trouble;
}

}  // namespace portico::source
