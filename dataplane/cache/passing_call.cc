#include "dataplane/cache/passing_call.h"

#include <utility>

#include "api/base/text.h"

namespace portico::cache {

PassingCall::PassingCall(std::string_view why, std::string_view outcome, call::Backend& origin,
                         const call::CallRequest& request, call::CallHandler& handler)
    : handler_(handler), why_(why), outcome_(outcome) {
  call::CallHandler& self = *this;
  origin_ = origin.Start(request, self);
}

PassingCall::PassingCall(Store& store, const TargetUri& uri, call::Backend& origin, const call::CallRequest& request,
                         call::CallHandler& handler)
    : handler_(handler),
      store_(&store),
      scheme_(uri.scheme),
      authority_(uri.authority),
      path_(uri.path),
      query_(uri.query),
      has_query_(uri.has_query) {
  call::CallHandler& self = *this;
  origin_ = origin.Start(request, self);
}

call::CallFacts PassingCall::facts() const {
  call::CallFacts facts = origin_->facts();
  facts.cache = outcome_;
  return facts;
}

// Cancelled: it may be on its way yet.
PassingCall::~PassingCall() {
  End();
}

void PassingCall::OnResponse(http::ResponseHead head) {
  Settle(&head);
  if (!why_.empty()) head.fields.Add("cache-status", base::Concat("portico; fwd=", why_));
  handler_.OnResponse(std::move(head));
}

// The handler may ask again at once, and destroy this.
void PassingCall::OnEnd() {
  End();
  handler_.OnEnd();
}

void PassingCall::OnError(const call::Error& error) {
  End();
  handler_.OnError(error);
}

// nullptr: there is none, nor will there be.
void PassingCall::Settle(const http::ResponseHead* answer) {
  if (store_ == nullptr || std::exchange(settled_, true)) return;
  const TargetUri uri{scheme_, authority_, path_, query_, has_query_};
  const bool is_success = answer != nullptr && answer->status < 400;
  const bool is_refused =
      answer != nullptr && answer->status >= 400 && answer->status < 500 && origin_->facts().attempts <= 1;
  if (is_refused) return;
  invalid_.push_back(KeyOf(uri));
  if (is_success) {
    for (std::string& key : OtherKeys(uri, answer->fields))
      invalid_.push_back(std::move(key));
  }
  for (const std::string& key : invalid_)
    store_->Invalidate(key);
}

void PassingCall::End() {
  const bool was_settled = settled_;
  Settle(nullptr);
  Store* const store = std::exchange(store_, nullptr);
  if (store == nullptr || !was_settled) return;
  for (const std::string& key : invalid_)
    store->Invalidate(key);
}

}  // namespace portico::cache
