#ifndef PORTICO_DATAPLANE_CACHE_PASSING_CALL_H_
#define PORTICO_DATAPLANE_CACHE_PASSING_CALL_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/cache/key.h"
#include "dataplane/cache/store.h"
#include "dataplane/call/call.h"

namespace portico::cache {

// A call that passes the cache by: everything goes to the origin and back as it is, but for cache-status, or for what
// an unsafe request makes invalid (RFC 9111 section 4.4): by a response that says that it was no error, and by none,
// since nobody knows then what the origin did. Nor do they after a 5xx, or if it was tried more than once: one may have
// done it and another refused. Invalid once more when all is over: an origin may answer first and commit later.
class PassingCall final : public call::Call, private call::CallHandler {
 public:
  // Says "portico; fwd=WHY". Both texts are static; `outcome` is CallFacts'.
  PassingCall(std::string_view why, std::string_view outcome, call::Backend& origin, const call::CallRequest& request,
              call::CallHandler& handler);
  // Of an unsafe request. The store outlives it; `uri` is read now.
  PassingCall(Store& store, const TargetUri& uri, call::Backend& origin, const call::CallRequest& request,
              call::CallHandler& handler);
  ~PassingCall() override;

  void SendContent(base::Buffer& content, bool end) override { origin_->SendContent(content, end); }
  void SendTrailers(const http::Fields& trailers) override { origin_->SendTrailers(trailers); }
  size_t Unsent() const override { return origin_->Unsent(); }
  void Consumed(size_t bytes) override { origin_->Consumed(bytes); }
  call::CallFacts facts() const override;

 private:
  void OnInformational(const http::ResponseHead& head) override { handler_.OnInformational(head); }
  void OnResponse(http::ResponseHead head) override;
  void OnContent(base::Slice content) override { handler_.OnContent(std::move(content)); }
  void OnTrailers(http::Fields trailers) override { handler_.OnTrailers(std::move(trailers)); }
  void OnEnd() override;
  void OnError(const call::Error& error) override;
  void OnSendReady() override { handler_.OnSendReady(); }
  void Settle(const http::ResponseHead* answer);
  void End();

  call::CallHandler& handler_;
  const std::string_view why_, outcome_;
  Store* store_ = nullptr;            // of an unsafe request, until that is over
  bool settled_ = false;              // it is known what that did
  std::vector<std::string> invalid_;  // keys, by it
  // The target URI's parts, for as long as the call.
  std::string scheme_, authority_, path_, query_;
  bool has_query_ = false;
  std::unique_ptr<call::Call> origin_;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_PASSING_CALL_H_
