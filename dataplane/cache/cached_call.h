#ifndef PORTICO_DATAPLANE_CACHE_CACHED_CALL_H_
#define PORTICO_DATAPLANE_CACHE_CACHED_CALL_H_

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "dataplane/cache/decision.h"
#include "dataplane/cache/fill.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/call.h"
#include "dataplane/event/timer.h"

namespace portico::cache {

// A GET or HEAD that the cache answers, or fills itself by. Everything that its handler hears comes at the end of a
// turn.
//
//   stored, fresh ──────────────────────────────▶ gives what is stored
//   only-if-cached, and not that ───────────────▶ 504
//   a fill of the same is under way ──▶ waits ──▶ gives what that has, if that may be stored and Decide gives it to
//   this
//                                         │        request; as it comes if its length is known, else when it is whole
//                                         └─────▶ else goes alone, all that wait at once: a fill of its own
//   none ──▶ begins one, and is its leader ─────▶ gives what that has, as it comes, stored or not
class CachedCall final : public call::Call, private FillReader, private event::Timer::Handler {
 public:
  // How long another's fill is waited for: its request may be one that the origin never answers. From when this began.
  static constexpr base::Duration kWaitForHeadMax = std::chrono::seconds(10);
  // And for the whole of a length that nobody knows: it may be a stream without an end. From its head.
  static constexpr base::Duration kWaitForWholeMax = std::chrono::seconds(2);

  struct Question {
    WorkerCache& cache;
    std::shared_ptr<const CachePolicy> policy;
    std::shared_ptr<call::Backend> origin;
    call::CallRequest request;
    CacheRequest asks;                             // the same, as the cache sees it
    uint64_t generation;                           // noted before `stored` was looked for
    std::shared_ptr<const StoredResponse> stored;  // what it selects; nullptr: none
    Decision decision;                             // about that
  };
  CachedCall(Question question, call::CallHandler& handler);
  ~CachedCall() override;

  // The request has ended with its head.
  void SendContent(base::Buffer& content, bool) override { content.Clear(); }
  void SendTrailers(const http::Fields&) override {}
  size_t Unsent() const override { return 0; }
  void Consumed(size_t bytes) override;
  call::CallFacts facts() const override;

 private:
  void OnTurnEnd() override;
  void OnTimer(event::Timer& timer) override;

  void BeginFill(bool listed);
  void Join(std::shared_ptr<Fill> fill);
  void WaitUntil(base::MonotonicTime time);
  void GoAlone();
  void LeaveFill();
  void Run();
  void RunFill();
  void RunPassing();
  bool MayShare() const;
  void RunWaiting();
  void Refuse();
  void Give(const StoredResponse& stored);
  bool GiveHead(const StoredResponse& stored);
  bool GiveContent(const StoredResponse& stored);
  void GiveEnd();
  std::string Status(const StoredResponse& stored) const;
  const http::RequestHead& head() const { return *question_.request.head; }
  bool leads() const { return fill_ != nullptr && fill_->IsLeader(*this); }

  const Question question_;
  call::CallHandler& handler_;
  std::shared_ptr<Fill> fill_;
  std::optional<event::Timer> timer_;  // while it waits for another's
  base::MonotonicTime wait_end_{};
  std::string_view outcome_ = "miss";  // CallFacts::cache
  bool head_given_ = false;
  bool over_ = false;
  uint64_t offset_ = 0;          // of what is given next
  std::optional<uint64_t> end_;  // where it ends; nullopt: with the content
  size_t unconsumed_ = 0;        // given out of memory, and not Consumed
  bool* gone_ = nullptr;         // set by the destructor, while OnTurnEnd runs
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CACHED_CALL_H_
