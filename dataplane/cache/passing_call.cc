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
  Settle(nullptr);
}

void PassingCall::OnResponse(http::ResponseHead head) {
  Settle(&head);
  if (!why_.empty()) head.fields.Add("cache-status", base::Concat("portico; fwd=", why_));
  handler_.OnResponse(std::move(head));
}

// The handler may ask again at once, and destroy this.
void PassingCall::OnError(const call::Error& error) {
  Settle(nullptr);
  handler_.OnError(error);
}

// nullptr: there is none, nor will there be.
void PassingCall::Settle(const http::ResponseHead* answer) {
  Store* const store = std::exchange(store_, nullptr);
  if (store == nullptr) return;
  const TargetUri uri{scheme_, authority_, path_, query_, has_query_};
  const bool is_lost = answer == nullptr || answer->status == 502 || answer->status == 504;
  const bool is_success = answer != nullptr && answer->status < 400;
  if (is_lost || is_success) store->Invalidate(KeyOf(uri));
  if (!is_success) return;
  for (const std::string& key : OtherKeys(uri, answer->fields))
    store->Invalidate(key);
}

}  // namespace portico::cache
