#ifndef PORTICO_DATAPLANE_CACHE_FILL_H_
#define PORTICO_DATAPLANE_CACHE_FILL_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/intrusive_list.h"
#include "dataplane/cache/identity.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/store.h"
#include "dataplane/cache/stored_response.h"
#include "dataplane/call/call.h"
#include "dataplane/event/loop.h"

namespace portico::cache {

class WorkerCache;

// Who waits for a fill, and reads what it has at the end of each turn in which it changed.
class FillReader : public event::TurnEnd, public base::ListLink<struct FillReaderTag> {};

// One request to an origin, for all on this loop who ask the same: what comes is kept as far as it may be stored, and
// each reader takes it at its own pace. Readers own it; without any it ends, and its call with it.
//
//   kAsked ──head──▶ kStoring ──end──▶ kWhole      whoever reads may have it, now or when it is whole
//     │                 └──too long, no room──▶ kPassing
//     ├──head that may not be stored──▶ kPassing ──end──▶ kPassed     the leader's alone, as fast as it takes it
//     ├──304 about the stale one──▶ kWhole
//     └──304 about another, or about what is purged meanwhile: asked once more, without conditions
//   from each: ──▶ kFailed
//
// The leader is whose request it is. Callbacks of the call only note what came; readers run at the turn's end. The call
// is over, and its place at the cluster free, as soon as the origin has said all, however slow readers are.
class Fill final : public std::enable_shared_from_this<Fill>, private call::CallHandler {
 public:
  enum class State : uint8_t { kAsked, kStoring, kWhole, kPassing, kPassed, kFailed };

  struct Request {
    std::string key;
    Identity identity;
    uint64_t generation;  // of the key, noted before `replaced` was found
    std::shared_ptr<const CachePolicy> policy;
    std::shared_ptr<call::Backend> origin;
    std::optional<base::Duration> attempt_timeout;
    std::optional<call::Retry> retry;  // its deadline is the leader's, and does not bind
    call::SpanPlace span;              // copied, with its spans
    bool authorized;
    std::shared_ptr<const StoredResponse> replaced;  // what is in its place; nullptr: nothing that is known
    bool asks_about_it;                              // the origin is asked if that still holds
  };
  // The cache outlives it; `head` is copied. Nothing is asked before Start. `listed`: it is, by who makes it. Who is
  // not stores nothing while another does: what is fetched twice takes room once.
  Fill(WorkerCache& cache, Request request, const http::RequestHead& head, bool listed);
  ~Fill() override;

  void Start() { Ask(); }
  // The first reader is the leader, and when that has left nobody is: what it asked is no one else's request.
  void Join(FillReader& reader);
  void Leave(FillReader& reader);

  State state() const { return state_; }
  bool IsLeader(const FillReader& reader) const { return leader_ == &reader; }
  // Nothing was invalidated since it was asked for.
  bool IsCurrent() const;
  const std::string& key() const { return request_.key; }
  const Identity& identity() const { return request_.identity; }

  // kStoring and kWhole: the head, and the content as far as it is here. After kStoring became kPassing the leader
  // still finds here what it has not read of it.
  const std::shared_ptr<StoredResponse>& stored() const { return stored_; }
  // Others than the leader may have it. False although kWhole: it may not be stored after all.
  bool shareable() const { return shareable_; }
  bool refreshed() const { return refreshed_; }                     // it is the stale one, which holds
  base::MonotonicTime answered() const { return times_.answered; }  // by the origin

  // The leader's: heads in between that it has not had, and what passes without being stored.
  std::vector<http::ResponseHead> TakeInformational() { return std::exchange(informational_, {}); }
  const http::ResponseHead& passing_head() const { return *passing_head_; }
  base::Buffer& passing() { return passing_; }
  void Consumed(size_t bytes);

  const std::optional<http::Fields>& trailers() const { return trailers_; }
  const call::Error& error() const { return *error_; }
  call::CallFacts facts() const { return call_ == nullptr ? facts_ : call_->facts(); }

 private:
  void OnInformational(const http::ResponseHead& head) override;
  void OnResponse(http::ResponseHead head) override;
  void OnContent(base::Slice content) override;
  void OnTrailers(http::Fields trailers) override;
  void OnEnd() override;
  void OnError(const call::Error& error) override;
  void OnSendReady() override {}

  void Ask();
  void EndCall();
  void Fail(std::string_view detail);
  bool Refresh(const http::ResponseHead& not_modified);
  bool BeginStoring(const http::ResponseHead& head);
  bool List();
  bool Grow(shared::ByteHold& hold, size_t bytes);
  bool Keep(const base::Slice& content);
  std::string_view WhyNot(const http::ResponseHead& head) const;
  bool IsNewer(const http::ResponseHead& head) const;
  std::shared_ptr<StoredResponse> NewStored(const http::ResponseHead& head) const;
  bool Store();
  void RemoveOlder(int status);
  void TurnOutUnstorable();
  void Become(State state);
  void Unlist();

  WorkerCache& cache_;
  const Request request_;
  bool listed_;
  State state_ = State::kAsked;
  base::IntrusiveList<FillReader, struct FillReaderTag> readers_;
  FillReader* leader_ = nullptr;
  bool had_leader_ = false;

  base::Arena arena_;
  http::RequestHead head_{arena_};
  std::optional<call::Spans> spans_;
  ExchangeTimes times_{};
  bool asks_about_stored_;  // with what it asks now
  bool shareable_ = false;
  bool refreshed_ = false;
  std::shared_ptr<StoredResponse> stored_;
  std::shared_ptr<Content> content_;         // of stored_
  std::optional<shared::ByteHold> filling_;  // while it is stored, or read by the leader alone
  std::vector<http::ResponseHead> informational_;
  std::optional<http::ResponseHead> passing_head_;
  base::Buffer passing_;
  std::optional<http::Fields> trailers_;
  std::optional<call::Error> error_;
  call::CallFacts facts_;  // of a call that is over
  std::string endpoint_, retries_;
  std::unique_ptr<call::Call> call_;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_FILL_H_
