#ifndef PORTICO_DATAPLANE_CACHE_WORLD_FOR_TEST_H_
#define PORTICO_DATAPLANE_CACHE_WORLD_FOR_TEST_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/cache/cached_backend.h"
#include "dataplane/cache/policy.h"
#include "dataplane/cache/store.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/call.h"
#include "dataplane/call/fake_origin_for_test.h"
#include "dataplane/route/path.h"
#include "test/support/scripted_network.h"

namespace portico::cache {

// What a request is, beside its method and target.
struct Ask {
  test::FieldList fields = {};
  std::string method = "GET";
  std::string authority = "shop.example";
  std::string scheme = "http";  // of the connection
  std::string rewritten = {};   // the origin's target; "" the same
  std::optional<CachePolicy> policy = std::nullopt;
  bool end = true;
  bool other_worker = false;
};

// One request and all that was heard of it; consumes as it hears, unless told otherwise.
class Client final : public call::CallHandler {
 public:
  // "200 hello", "200 hel open", "200 hel error", " open".
  std::string Result() const {
    return base::Concat(status == 0 ? "" : std::to_string(status), content.empty() ? "" : " ", content,
                        failed  ? " error"
                        : ended ? ""
                                : " open");
  }
  std::string Field(std::string_view name) const {
    std::string value = "(none)";
    for (const auto& [its_name, its_value] : fields)
      if (its_name == name) value = its_value;
    return value;
  }
  void Leave() { call.reset(); }

  void OnInformational(const http::ResponseHead&) override {}
  void OnResponse(http::ResponseHead head) override {
    status = head.status;
    for (const http::Field& field : head.fields)
      fields.emplace_back(field.name, field.value);
  }
  void OnContent(base::Slice slice) override {
    content += slice.view();
    if (reads) call->Consumed(slice.size());
    kept.push_back(std::move(slice));
  }
  void OnTrailers(http::Fields) override {}
  void OnEnd() override {
    ended = true;
    outcome = call->facts().cache;
    endpoint = call->facts().endpoint;
    if (at_end) at_end();
  }
  void OnError(const call::Error&) override { failed = true; }
  void OnSendReady() override {}

  base::Arena arena;
  http::RequestHead head{arena};
  std::unique_ptr<call::Call> call;
  int status = 0;
  test::FieldList fields;
  std::string content, outcome, endpoint;
  std::vector<base::Slice> kept;  // what a slow client has not been sent yet
  bool ended = false, failed = false;
  bool reads = true;
  std::function<void()> at_end;
};

// The caches of two workers before one origin, in a loop whose turns the test makes.
struct CacheWorld {
  ~CacheWorld() {
    clients.clear();
    loop.Turn();
  }

  std::unique_ptr<Client> NewClient(std::string_view target, const Ask& ask) {
    auto client = std::make_unique<Client>();
    http::RequestHead& head = client->head;
    head.method = client->arena.Copy(ask.method);
    head.scheme = "https";  // the client's word
    head.authority = client->arena.Copy(ask.authority);
    head.path = client->arena.Copy(ask.rewritten.empty() ? target : ask.rewritten);
    head.framing.ends_with_head = ask.end;
    for (const auto& [name, value] : ask.fields)
      head.fields.Add(name, value);
    return client;
  }
  Client& Start(std::string_view target = "/a", const Ask& ask = {}) {
    Client& client = Begin(target, ask);
    loop.Turn();
    return client;
  }
  // Within a turn, as from inside another's callback.
  Client& Begin(std::string_view target, const Ask& ask) {
    clients.push_back(NewClient(target, ask));
    Client& client = *clients.back();
    auto policy = std::make_shared<CachePolicy>(ask.policy.value_or(CachePolicy{.stores = true}));
    if (policy->rule.empty()) policy->rule = "a rule";
    const route::Target split = route::SplitTarget(target);
    const TargetUri uri{ask.scheme, ask.authority, split.path, split.query, split.has_query};
    CachedBackend backend(ask.other_worker ? other_worker : worker, std::move(policy), uri, client.head.fields, origin);
    call::CallRequest request;
    request.head = &client.head;
    request.end = ask.end;
    request.arena = &client.arena;
    request.span = ask_span;
    client.call = backend.Start(request, client);
    return client;
  }
  // The origin's answer to the last call, and a turn.
  void Answer(int status, const test::FieldList& fields, std::string_view content) {
    asked().Head(status, fields, content.empty());
    if (!content.empty()) {
      asked().Content(content);
      asked().End();
    }
    loop.Turn();
  }
  // "hello" for a minute.
  void Fill(std::string_view target = "/a", const test::FieldList& more = {}, const Ask& ask = {}) {
    Start(target, ask);
    test::FieldList fields = {{"cache-control", "max-age=60"}, {"content-length", "5"}};
    fields.insert(fields.end(), more.begin(), more.end());
    Answer(200, fields, "hello");
  }
  test::Asked& asked() { return *origin->asked.back(); }
  size_t asked_count() const { return origin->asked.size(); }
  void Purge() { store.Obey({{"default/p", std::to_string(++purges), {"", "/"}}}); }

  test::ManualLoop loop;
  Store store;
  WorkerCache worker{loop, store}, other_worker{loop, store};
  std::shared_ptr<test::FakeOrigin> origin = std::make_shared<test::FakeOrigin>("default/orders");
  std::vector<std::unique_ptr<Client>> clients;
  call::SpanPlace ask_span;
  int purges = 0;
};

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_WORLD_FOR_TEST_H_
