#include "dataplane/cache/passing_call.h"

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

void PassingCall::OnResponse(http::ResponseHead head) {
  if (store_ != nullptr && head.status >= 200 && head.status < 400) Invalidate(head.fields);
  if (!why_.empty()) head.fields.Add("cache-status", base::Concat("portico; fwd=", why_));
  handler_.OnResponse(std::move(head));
}

void PassingCall::Invalidate(const http::Fields& response) {
  const TargetUri uri{scheme_, authority_, path_, query_, has_query_};
  store_->Invalidate(KeyOf(uri));
  for (const std::string& key : OtherKeys(uri, response))
    store_->Invalidate(key);
}

}  // namespace portico::cache
