#include "dataplane/cache/fill.h"

#include <utility>

#include "dataplane/cache/decision.h"
#include "dataplane/cache/storable.h"
#include "dataplane/cache/worker_cache.h"

namespace portico::cache {
namespace {

using http::FieldId;

constexpr int kNotModified = 304;

// Origins are let go of where things die.
struct Parting final : event::Deletable {
  explicit Parting(std::shared_ptr<call::Backend> its_origin) : origin(std::move(its_origin)) {}
  std::shared_ptr<call::Backend> origin;
};

void CopyHead(const http::RequestHead& from, http::RequestHead& to) {
  base::Arena& arena = to.fields.arena();
  to.method = arena.Copy(from.method);
  to.scheme = arena.Copy(from.scheme);
  to.authority = arena.Copy(from.authority);
  to.path = arena.Copy(from.path);
  to.fields.CopyFrom(from.fields);
  to.framing = from.framing;
  to.version = from.version;
}

void RemoveConditions(http::Fields& fields) {
  for (const std::string_view name : {"if-none-match", "if-modified-since", "range", "if-range"})
    fields.Remove(name);
}

}  // namespace

Fill::Fill(WorkerCache& cache, Request request, const http::RequestHead& head, bool listed)
    : cache_(cache), request_(std::move(request)), listed_(listed), asks_about_stored_(request_.asks_about_it) {
  CopyHead(head, head_);
  if (request_.span.spans != nullptr) spans_ = *request_.span.spans;
  // Section 4.3.1: asked about what we have, whatever the client has.
  if (!asks_about_stored_) return;
  RemoveConditions(head_.fields);
  const http::Fields& stored = request_.replaced->fields;
  if (const auto tag = stored.Find(FieldId::kEtag)) head_.fields.Add(FieldId::kIfNoneMatch, *tag);
  if (const auto date = stored.Find(FieldId::kLastModified)) head_.fields.Add(FieldId::kIfModifiedSince, *date);
}

Fill::~Fill() {
  Unlist();
  call_.reset();
  cache_.loop().DeleteLater(std::make_unique<Parting>(request_.origin));
}

void Fill::Ask() {
  times_.asked = cache_.loop().Now();
  call::CallRequest request;
  request.head = &head_;
  request.end = true;
  request.arena = &arena_;
  request.attempt_timeout = request_.attempt_timeout;
  request.retry = request_.retry;
  if (request.retry) request.retry->deadline.reset();
  const std::optional<std::string_view> trace = head_.fields.Find(FieldId::kTraceparent);
  if (spans_ && trace) request.span = {&*spans_, call::SetTraceparent(head_.fields, *trace)};
  call::CallHandler& handler = *this;
  call_ = request_.origin->Start(request, handler);
}

// What the log wants to know outlives the call.
void Fill::EndCall() {
  facts_ = call_->facts();
  endpoint_ = facts_.endpoint;
  retries_ = facts_.retries;
  facts_.endpoint = endpoint_;
  facts_.retries = retries_;
  call_.reset();
}

bool Fill::IsCurrent() const {
  return cache_.store().Generation(request_.key) == request_.generation;
}

void Fill::Join(FillReader& reader) {
  if (!std::exchange(had_leader_, true)) leader_ = &reader;
  readers_.PushBack(reader);
}

void Fill::Leave(FillReader& reader) {
  if (leader_ == &reader) leader_ = nullptr;
  readers_.Remove(reader);
}

void Fill::Unlist() {
  if (std::exchange(listed_, false)) cache_.Unlist(*this);
}

void Fill::Become(State state) {
  state_ = state;
  if (state == State::kWhole || state == State::kFailed) filling_.reset();
  if (state != State::kAsked && state != State::kStoring) Unlist();
  for (FillReader* reader = readers_.front(); reader != nullptr; reader = readers_.Next(*reader))
    cache_.loop().AtTurnEnd(*reader);
}

void Fill::OnInformational(const http::ResponseHead& head) {
  http::ResponseHead copy(arena_);
  copy.status = head.status;
  copy.fields.CopyFrom(head.fields);
  informational_.push_back(std::move(copy));
  Become(state_);
}

void Fill::OnResponse(http::ResponseHead head) {
  times_.answered = cache_.loop().Now();
  times_.answered_wall = cache_.loop().WallNow();
  if (head.status == kNotModified && request_.asks_about_it) {
    if (!asks_about_stored_) return Fail("304 to a request without conditions");
    if (Refresh(head)) return Become(State::kWhole);
    // About another response than ours, or about one that is purged: of no use to anybody. Once more.
    asks_about_stored_ = false;
    RemoveConditions(head_.fields);
    return Ask();
  }
  if (BeginStoring(head)) return Become(State::kStoring);
  filling_.reset();
  if (IsNewer(head)) RemoveOlder(head.status);
  if (listed_) cache_.NoteUnstorable(request_.key, request_.identity);
  passing_head_.emplace(std::move(head));
  Become(State::kPassing);
}

// Section 4.3.4.
bool Fill::Refresh(const http::ResponseHead& not_modified) {
  if (!IsCurrent()) return false;
  const StoredResponse& stale = *request_.replaced;
  std::optional<http::ResponseHead> head = FreshenedHead(stale, not_modified, arena_);
  if (!head) return false;
  stored_ = NewStored(*head);
  stored_->content = stale.content;
  stored_->length = stale.length;
  refreshed_ = true;
  shareable_ = WhyNot(*head).empty();
  if (shareable_) {
    Store();
  } else if (IsNewer(*head)) {
    RemoveOlder(head->status);
  }
  return true;
}

std::string_view Fill::WhyNot(const http::ResponseHead& head) const {
  const CacheControl asked = ReadRequestControl(head_.fields), said = ReadCacheControl(head.fields);
  return WhyNotStored({head_, asked, request_.authorized, head, said, *request_.policy, times_});
}

// It is what the resource is now, for all, and nobody else is storing that.
bool Fill::IsNewer(const http::ResponseHead& head) const {
  const CacheControl asked = ReadRequestControl(head_.fields), said = ReadCacheControl(head.fields);
  const StoreQuestion question{head_, asked, request_.authorized, head, said, *request_.policy, times_};
  return IsAboutTheResource(question) && (listed_ || !WhyNotStored(question).empty());
}

// The answer that came in its place can't be stored: who asks next is not to be given what was before it. An origin
// that fails says nothing of it, nor one that answers somebody whom the older one was not for.
void Fill::RemoveOlder(int status) {
  const StoredResponse* const older = request_.replaced.get();
  if (older == nullptr || status >= 500) return;
  if (request_.authorized && !AllowsAuthorization(older->control)) return;
  if (!older->explicit_lifetime && MayBePersonal(head_.fields, older->selecting)) return;
  cache_.store().Remove(request_.key, *older, request_.generation);
}

std::shared_ptr<StoredResponse> Fill::NewStored(const http::ResponseHead& head) const {
  auto stored = std::make_shared<StoredResponse>(cache_.store().NewHold(), request_.identity);
  ReadHead(head, head_.fields, times_, *stored);
  return stored;
}

// One of all who ask for the same at once.
bool Fill::List() {
  if (!listed_ && cache_.FindFill(request_.key, request_.identity) == nullptr) {
    cache_.List(shared_from_this());
    listed_ = true;
  }
  return listed_;
}

bool Fill::Grow(shared::ByteHold& hold, size_t bytes) {
  return filling_->Grow(bytes) && cache_.store().Grow(hold, bytes);
}

// The whole length is taken from the store's memory at once where it is known: it can't fail half way then.
bool Fill::BeginStoring(const http::ResponseHead& head) {
  if (!WhyNot(head).empty() || !IsCurrent() || !List()) return false;
  filling_.emplace(cache_.store().NewFillingHold());
  auto content = std::make_shared<Content>(cache_.store().NewHold());
  std::shared_ptr<StoredResponse> stored = NewStored(head);
  stored->length = head.framing.ends_with_head ? std::optional<uint64_t>(0) : head.framing.length;
  const size_t length = static_cast<size_t>(stored->length.value_or(0));
  if (!Grow(content->hold(), sizeof(Content) + content->BytesFor(length, length))) return false;
  if (!Grow(stored->hold, stored->bytes())) return false;
  stored->content = content;
  content_ = std::move(content);
  stored_ = std::move(stored);
  shareable_ = true;
  cache_.ForgetUnstorable(request_.key, request_.identity);
  return true;
}

void Fill::OnContent(base::Slice content) {
  if (state_ == State::kStoring) {
    if (stored_->length && content.size() > *stored_->length - content_->size()) return Fail("content without an end");
    if (Keep(content)) return Become(state_);
  }
  // What was kept until now stays counted until its reader has it.
  if (std::exchange(shareable_, false)) TurnOutUnstorable();
  passing_.Append(std::move(content));
  Become(State::kPassing);
}

void Fill::TurnOutUnstorable() {
  cache_.NoteUnstorable(request_.key, request_.identity);
  RemoveOlder(stored_->status);
}

// Content of a known length has its room.
bool Fill::Keep(const base::Slice& content) {
  if (!stored_->length) {
    if (content_->size() + content.size() > request_.policy->content_bytes_max) return false;
    if (!Grow(content_->hold(), content_->BytesFor(content.size(), 0))) return false;
  }
  content_->Append(content.view(), stored_->length.value_or(0));
  call_->Consumed(content.size());
  return true;
}

void Fill::OnTrailers(http::Fields trailers) {
  // A stored response has none. Nor, probably, has the next one of this request.
  if (std::exchange(shareable_, false)) TurnOutUnstorable();
  trailers_.emplace(std::move(trailers));
}

void Fill::OnEnd() {
  if (state_ == State::kStoring && stored_->length.value_or(content_->size()) != content_->size()) {
    return Fail("the content is not as long as it was to be");
  }
  EndCall();
  if (state_ == State::kWhole) return;  // refreshed
  if (state_ == State::kPassing) return Become(State::kPassed);
  if (shareable_) {
    // Readers look at the same object on this thread alone until it is stored.
    stored_->length = content_->size();
    Store();
  }
  Become(State::kWhole);
}

bool Fill::Store() {
  if (refreshed_ && !cache_.store().Grow(stored_->hold, stored_->bytes())) return false;
  return cache_.store().Put(request_.key, stored_, request_.generation, request_.replaced.get());
}

void Fill::Fail(std::string_view detail) {
  OnError({call::ErrorKind::kHttpProtocolError, false, detail});
}

// Of a part nobody is given any more, and nothing is kept.
void Fill::OnError(const call::Error& error) {
  const call::Error copy = error;  // it may be the call's
  EndCall();
  if (state_ == State::kWhole) return;
  shareable_ = false;
  error_ = copy;
  Become(State::kFailed);
}

void Fill::Consumed(size_t bytes) {
  if (call_ != nullptr && (state_ == State::kPassing || state_ == State::kAsked)) call_->Consumed(bytes);
}

}  // namespace portico::cache
