#ifndef PORTICO_DATAPLANE_UPSTREAM_CALLER_FOR_TEST_H_
#define PORTICO_DATAPLANE_UPSTREAM_CALLER_FOR_TEST_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/call/call.h"
#include "dataplane/call/retry.h"
#include "dataplane/call/spans.h"

// Who calls a cluster. For tests only.

namespace portico::upstream::for_test {

using call::ErrorKind;

enum class At { kInformational, kResponse, kContent, kTrailers, kEnd, kError, kSendReady };

// One call with its request, and all that it heard.
struct Caller : call::CallHandler {
  explicit Caller(std::string_view method = "GET", bool content = false) : head(arena) {
    head.method = method;
    head.scheme = "http";
    head.authority = "orders";
    head.path = "/";
    head.framing.ends_with_head = !content;
  }
  void Start(call::Backend& cluster, std::optional<base::Duration> timeout = std::nullopt) {
    call = cluster.Start({&head, head.framing.ends_with_head, &arena, timeout, retry, span}, *this);
  }
  void Send(std::string_view text, bool end) {
    base::Buffer buffer;
    buffer.Append(text);
    call->SendContent(buffer, end);
  }
  void OnInformational(const http::ResponseHead& response) override {
    informational = response.status;
    Tell(At::kInformational);
  }
  void OnResponse(http::ResponseHead response) override {
    status = response.status;
    answers = response.fields.Find("x-call").value_or("");
    Tell(At::kResponse);
  }
  void OnContent(base::Slice slice) override {
    content += slice.view();
    if (consumes) call->Consumed(slice.size());
    Tell(At::kContent);
  }
  void OnTrailers(http::Fields trailers) override {
    trailer_count = trailers.size();
    Tell(At::kTrailers);
  }
  void OnEnd() override {
    ended = true;
    Tell(At::kEnd);
  }
  void OnError(const call::Error& failure) override {
    error = failure.kind;
    retry_safe = failure.retry_safe;
    detail = failure.detail;
    fault = failure.fault;
    Tell(At::kError);
  }
  void OnSendReady() override {
    ++ready;
    Tell(At::kSendReady);
  }
  bool over() const { return ended || error.has_value(); }

  base::Arena arena;
  http::RequestHead head;
  std::optional<call::Retry> retry;
  call::SpanPlace span;
  std::unique_ptr<call::Call> call;
  std::function<void(At)> hook;  // the last act of every callback
  int informational = 0, status = 0, ready = 0;
  std::string content, answers;  // the field x-call
  size_t trailer_count = 0;
  bool ended = false, retry_safe = false, consumes = true;
  std::optional<ErrorKind> error;
  std::string_view detail;
  call::Fault fault = call::Fault::kOrigin;

 private:
  void Tell(At at) {
    EXPECT_EQ(ends_, 0) << "something after the end";
    EXPECT_NE(call, nullptr) << "something inside of Start, or after the call was destroyed";
    if (at == At::kEnd || at == At::kError) ++ends_;
    if (hook) hook(at);
  }
  int ends_ = 0;
};

}  // namespace portico::upstream::for_test

#endif  // PORTICO_DATAPLANE_UPSTREAM_CALLER_FOR_TEST_H_
