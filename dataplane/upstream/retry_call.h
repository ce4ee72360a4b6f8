#ifndef PORTICO_DATAPLANE_UPSTREAM_RETRY_CALL_H_
#define PORTICO_DATAPLANE_UPSTREAM_RETRY_CALL_H_

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/base/buffer.h"
#include "dataplane/base/byte_budget.h"
#include "dataplane/call/call.h"
#include "dataplane/event/timer.h"
#include "dataplane/upstream/cluster.h"

namespace portico::upstream {

// A call that is tried again as its rule's plan says (Gateway API GEP-1731). Each attempt is an UpstreamCall, at most
// one of which the caller hears:
//
//   kAsking ──answer that is passed on, or an error that is──▶ kAnswering: all that comes goes to the caller
//    │   ▲
//    │   └──the pause is over──┐
//    └──answer with a code, or none──▶ kResting
//
// The head of an answer is judged when it comes, so nothing of one that is tried again reaches the caller; 1xx do,
// since there may be any number of them (RFC 9110 section 15.2), and hints of another attempt are hints all the same
// (RFC 8297). What is left of such an answer is read and dropped if that is little and comes during the pause, for its
// connection's sake; else it is cancelled, so that a call never has two of what the cluster's limits count. Content is
// kept as it is sent, up to the plan's limit and the worker's; what comes during a pause waits, and counts as unsent.
class RetryCall final : public call::Call, private event::Timer::Handler {
 public:
  static constexpr base::Duration kPauseMax = std::chrono::minutes(1);  // however often it was doubled
  // Of content of an answer that is not wanted: about what a new connection costs.
  static constexpr size_t kDrainBytesMax = 64 << 10;

  // `request.retry` is there. All outlive it.
  RetryCall(Cluster& cluster, const call::CallRequest& request, call::CallHandler& handler);
  ~RetryCall() override;

  void SendContent(base::Buffer& content, bool end) override;
  void SendTrailers(const http::Fields& trailers) override;
  size_t Unsent() const override;
  void Consumed(size_t bytes) override;
  call::CallFacts facts() const override;

 private:
  enum class State : uint8_t { kAsking, kResting, kAnswering };
  class Attempt;

  // Of the attempt that is not discarded.
  void OnHead(http::ResponseHead head);
  void OnFailure(const call::Error& error);
  void OnTimer(event::Timer& timer) override;

  void Ask();
  void Replay();
  void Keep(const base::Buffer& content);
  void KeepNothing();
  bool TakeRetry(const http::Fields* answer);
  void Rest(std::string_view why);
  void Answer(bool failed);
  void Note(std::string_view word);
  base::Duration Pause() const;
  const route::RetryPlan& plan() const { return *request_.retry->plan; }

  Cluster& cluster_;
  const call::CallRequest request_;
  call::CallHandler& handler_;
  const base::MonotonicTime begun_at_;
  event::Timer timer_;
  State state_ = State::kAsking;
  std::unique_ptr<Attempt> attempt_;    // none while it rests
  std::unique_ptr<Attempt> discarded_;  // the one before, while it rests and that answer is read and dropped
  std::vector<net::Address> failed_;    // that have answered, or not, what was tried again
  uint32_t retries_ = 0;
  base::Duration pause_{};  // before the next one
  std::string words_;       // CallFacts::retries
  call::CallFacts before_;  // of the attempts before
  std::string endpoint_name_;
  base::MonotonicTime asked_at_{};

  bool request_ended_;
  bool keeps_ = true;  // all that was sent is in `kept_`, so that it can be sent again
  std::string kept_;   // content
  base::ByteShare share_;
  base::Buffer waiting_;  // content that came while it rested
  std::optional<http::Fields> trailers_;
};

}  // namespace portico::upstream

#endif  // PORTICO_DATAPLANE_UPSTREAM_RETRY_CALL_H_
