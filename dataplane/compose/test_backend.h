#ifndef PORTICO_DATAPLANE_COMPOSE_TEST_BACKEND_H_
#define PORTICO_DATAPLANE_COMPOSE_TEST_BACKEND_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/time.h"
#include "dataplane/call/call.h"
#include "dataplane/http/message.h"

namespace portico::compose {

// Keeps what was started, in order; the test plays the origin. A call that is over or cancelled hears nothing.
class FakeBackend : public call::Backend {
 public:
  struct Started {
    std::string target;
    std::string host;
    std::string fields;  // "accept: application/json\n"…
    std::optional<base::Duration> timeout;
    call::CallHandler* handler;
    base::Arena* arena;
    size_t unconsumed_bytes = 0;
  };

  std::string_view name() const override { return "default/fake"; }
  std::unique_ptr<call::Call> Start(const call::CallRequest& request, call::CallHandler& handler) override {
    EXPECT_EQ(request.head->method, "GET");
    EXPECT_TRUE(request.end && request.head->framing.ends_with_head);
    std::string fields;
    for (const http::Field& field : request.head->fields)
      base::AppendTo(fields, base::Concat(field.name, ": ", field.value, "\n"));
    started.push_back({std::string(request.head->path), std::string(request.head->authority), fields,
                       request.attempt_timeout, &handler, request.arena});
    return std::make_unique<FakeCall>(started.back());
  }

  bool Hears(size_t place) const { return place < started.size() && started[place].handler != nullptr; }
  size_t UnderWay() const {
    size_t count = 0;
    for (const Started& call : started)
      count += call.handler != nullptr ? 1 : 0;
    return count;
  }

  // One event; nothing if the call hears no more: "head 200 application/json", "gzip", "content TEXT", "trailers",
  // "end", "error", "slow" (a timeout).
  void Tell(size_t place, std::string_view event) {
    if (!Hears(place)) return;
    Started& call = started[place];
    call::CallHandler& handler = *call.handler;
    const std::string_view word = event.substr(0, event.find(' '));
    const std::string_view rest = event.substr(std::min(event.size(), word.size() + 1));
    if (word == "head") return handler.OnResponse(Head(*call.arena, rest.substr(0, 3), rest.substr(3)));
    if (word == "gzip") {
      http::ResponseHead head = Head(*call.arena, "200", " application/json");
      head.fields.Add("content-encoding", "gzip");
      return handler.OnResponse(std::move(head));
    }
    if (word == "content") {
      call.unconsumed_bytes += rest.size();
      handler.OnContent(base::Slice::Copy(rest));
      // Otherwise the origin would wait for ever.
      if (Hears(place)) EXPECT_EQ(call.unconsumed_bytes, 0U);
      return;
    }
    if (word == "trailers") return handler.OnTrailers(http::Fields(*call.arena));
    if (word == "end") return handler.OnEnd();
    if (word == "error") return handler.OnError({call::ErrorKind::kConnectionRefused, true, "nobody listens"});
    if (word == "slow") return handler.OnError({call::ErrorKind::kHttpResponseTimeout, false, "late"});
    FAIL() << event;
  }
  // A whole response: "ok TEXT", "STATUS TEXT", "type TEXT" (not JSON), or what Tell knows. False: nobody hears it.
  bool Answer(size_t place, std::string_view script) {
    if (!Hears(place)) return false;
    const std::string_view kind = script.substr(0, script.find(' '));
    const std::string_view body = script.substr(std::min(script.size(), kind.size() + 1));
    if (kind == "error" || kind == "slow" || kind == "gzip") {
      Tell(place, kind);
      return true;
    }
    const bool number = base::ParseDecimal(kind).has_value();
    const std::string_view type = kind == "type" ? " text/html" : " application/vnd.x+json; charset=utf-8";
    Tell(place, base::Concat("head ", number ? kind : "200", type));
    Tell(place, base::Concat("content ", body));
    Tell(place, "trailers");
    Tell(place, "end");
    return true;
  }

  std::deque<Started> started;  // stays where it is

 private:
  class FakeCall : public call::Call {
   public:
    explicit FakeCall(Started& started) : started_(started) {}
    ~FakeCall() override { started_.handler = nullptr; }
    void SendContent(base::Buffer&, bool) override { ADD_FAILURE() << "a GET has no content"; }
    void SendTrailers(const http::Fields&) override { ADD_FAILURE() << "a GET has no trailers"; }
    size_t Unsent() const override { return 0; }
    void Consumed(size_t bytes) override { started_.unconsumed_bytes -= bytes; }
    call::CallFacts facts() const override { return {}; }

   private:
    Started& started_;
  };

  static http::ResponseHead Head(base::Arena& arena, std::string_view status, std::string_view type) {
    http::ResponseHead head(arena);
    head.status = static_cast<int>(base::ParseDecimal(status).value_or(0));
    if (!type.empty()) head.fields.Add("content-type", type.substr(1));
    return head;
  }
};

}  // namespace portico::compose

#endif  // PORTICO_DATAPLANE_COMPOSE_TEST_BACKEND_H_
