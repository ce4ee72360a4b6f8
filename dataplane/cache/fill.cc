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
    : cache_(cache),
      request_(std::move(request)),
      generation_(cache.store().Generation(request_.key)),
      listed_(listed) {
  CopyHead(head, head_);
  // Section 4.3.1: asked about what we have, whatever the client has.
  if (request_.stale == nullptr) return;
  RemoveConditions(head_.fields);
  const http::Fields& stale = request_.stale->fields;
  if (const auto tag = stale.Find(FieldId::kEtag)) head_.fields.Add(FieldId::kIfNoneMatch, *tag);
  if (const auto date = stale.Find(FieldId::kLastModified)) head_.fields.Add(FieldId::kIfModifiedSince, *date);
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
  call::CallHandler& handler = *this;
  call_ = request_.origin->Start(request, handler);
}

void Fill::Join(FillReader& reader) {
  if (readers_.empty() && leader_ == nullptr) leader_ = &reader;
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
  if (head.status == kNotModified && request_.stale != nullptr) {
    if (Refresh(head)) return Become(State::kWhole);
    // It is about another response than ours, and so of no use to anybody: once more, without conditions.
    RemoveConditions(head_.fields);
    return Ask();
  }
  if (BeginStoring(head)) return Become(State::kStoring);
  if (listed_) cache_.NoteUnstorable(request_.key);
  passing_head_.emplace(std::move(head));
  Become(State::kPassing);
}

// Section 4.3.4.
bool Fill::Refresh(const http::ResponseHead& not_modified) {
  const StoredResponse& stale = *request_.stale;
  std::optional<http::ResponseHead> head = FreshenedHead(stale, not_modified, arena_);
  if (!head) return false;
  stored_ = NewStored(*head);
  stored_->content = stale.content;
  stored_->length = stale.length;
  refreshed_ = true;
  shareable_ = WhyNot(*head).empty();
  if (shareable_) Store();
  return true;
}

std::string_view Fill::WhyNot(const http::ResponseHead& head) const {
  const CacheControl asked = ReadRequestControl(head_.fields), said = ReadCacheControl(head.fields);
  return WhyNotStored({head_, asked, request_.authorized, head, said, *request_.policy, times_});
}

std::shared_ptr<StoredResponse> Fill::NewStored(const http::ResponseHead& head) const {
  auto stored = std::make_shared<StoredResponse>(cache_.store().NewHold());
  ReadHead(head, head_.fields, times_, *stored);
  stored->identity = request_.policy->identity;
  return stored;
}

// The whole length is taken from the store's memory at once where it is known: it can't fail half way then.
bool Fill::BeginStoring(const http::ResponseHead& head) {
  if (!WhyNot(head).empty()) return false;
  auto content = std::make_shared<Content>(cache_.store().NewHold());
  std::shared_ptr<StoredResponse> stored = NewStored(head);
  stored->length = head.framing.ends_with_head ? std::optional<uint64_t>(0) : head.framing.length;
  const size_t length = static_cast<size_t>(stored->length.value_or(0));
  if (!cache_.store().Grow(content->hold(), sizeof(Content) + content->BytesFor(length, length))) return false;
  if (!cache_.store().Grow(stored->hold, stored->bytes())) return false;
  stored->content = content;
  content_ = std::move(content);
  stored_ = std::move(stored);
  shareable_ = true;
  cache_.ForgetUnstorable(request_.key);
  return true;
}

void Fill::OnContent(base::Slice content) {
  if (state_ == State::kStoring && Keep(content)) return Become(state_);
  shareable_ = false;
  state_ = State::kPassing;
  passing_.Append(std::move(content));
  Become(state_);
}

// Content of a known length has its room, and its codec sees to it that it is not longer.
bool Fill::Keep(const base::Slice& content) {
  if (!stored_->length) {
    if (content_->size() + content.size() > request_.policy->content_bytes_max) return false;
    if (!cache_.store().Grow(content_->hold(), content_->BytesFor(content.size(), 0))) return false;
  }
  content_->Append(content.view(), stored_->length.value_or(0));
  call_->Consumed(content.size());
  return true;
}

void Fill::OnTrailers(http::Fields trailers) {
  shareable_ = false;  // a stored response has none
  trailers_.emplace(std::move(trailers));
}

void Fill::OnEnd() {
  const call::CallFacts facts = call_->facts();
  endpoint_ = facts.endpoint;
  attempts_ = facts.attempts;
  retries_ = facts.retries;
  if (state_ == State::kWhole) return;  // refreshed
  if (state_ == State::kPassing) return Become(State::kPassed);
  if (stored_->length.value_or(content_->size()) != content_->size()) {
    return OnError({call::ErrorKind::kHttpProtocolError, false, "the content is not as long as it was to be"});
  }
  if (shareable_) {
    // Readers look at the same object on this thread alone until it is stored.
    stored_->length = content_->size();
    Store();
  }
  Become(State::kWhole);
}

bool Fill::Store() {
  if (refreshed_ && !cache_.store().Grow(stored_->hold, stored_->bytes())) return false;
  return cache_.store().Put(request_.key, stored_, generation_);
}

void Fill::OnError(const call::Error& error) {
  if (state_ == State::kWhole) return;
  shareable_ = false;
  error_ = error;
  Become(State::kFailed);
}

void Fill::Consumed(size_t bytes) {
  if (state_ == State::kPassing || state_ == State::kAsked) call_->Consumed(bytes);
}

call::CallFacts Fill::facts() const {
  if (!endpoint_.empty()) return {.endpoint = endpoint_, .attempts = attempts_, .retries = retries_};
  return call_ == nullptr ? call::CallFacts() : call_->facts();
}

}  // namespace portico::cache
