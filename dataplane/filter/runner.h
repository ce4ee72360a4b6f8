#ifndef PORTICO_DATAPLANE_FILTER_RUNNER_H_
#define PORTICO_DATAPLANE_FILTER_RUNNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "dataplane/filter/filter.h"

namespace portico::filter {

// Runs a chain for one exchange, which owns it and drops it to cancel whatever waits.
//
//   Runner runner(rule.chain, worker.slots(), context, *this);
//   runner.Start();                 // -> OnFiltersPassed or OnFiltersReply, now or later, once
//   runner.RunRequestTrailers(trailers);   // after OnFiltersPassed
//   runner.RunResponseHead(head);   // before the head is sent, whoever made it; at most once
//
//   kIdle --Start--> kRunning --filter waits--> kWaiting --Resume--> kRunning
//                       '--> kDone (all passed, or one replied)
//
// Chain, slots, context's references and delegate outlive the runner. One thread.
class Runner final : private Resumable {
 public:
  // The exchange. Both may destroy the runner; they come from inside Start or from inside a Resume.
  class Delegate {
   public:
    virtual void OnFiltersPassed() = 0;
    virtual void OnFiltersReply(Reply reply) = 0;

   protected:
    ~Delegate() = default;
  };

  Runner(const Chain& chain, WorkerSlots& slots, FilterContext context, Delegate& delegate);
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;
  ~Runner();

  void Start();
  void RunRequestTrailers(http::Fields& trailers);
  void RunResponseHead(http::ResponseHead& head);
  FilterContext& context() { return context_; }

  bool waiting() const { return state_ == State::kWaiting; }

 private:
  enum class State : uint8_t { kIdle, kRunning, kWaiting, kDone };

  void Resumed(uint64_t ticket, Verdict verdict) override;
  void Drive(Verdict verdict);

  FilterContext context_;
  Delegate& delegate_;
  State state_ = State::kIdle;
  size_t asked_ = 0;              // filters whose OnRequestHead was called; also the ticket of the last one's wait
  std::optional<Verdict> early_;  // of a Resume inside OnRequestHead
  std::vector<std::unique_ptr<Filter>> filters_;
  std::shared_ptr<Resumable*> self_;  // what handles point to; holds nullptr once this goes
};

}  // namespace portico::filter

#endif  // PORTICO_DATAPLANE_FILTER_RUNNER_H_
