#ifndef PORTICO_DATAPLANE_DOWNSTREAM_CACHE_WORLD_FOR_TEST_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_CACHE_WORLD_FOR_TEST_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/cache/policy.h"
#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/world_for_test.h"

namespace portico::test {

inline const FieldList kFresh = {{"cache-control", "max-age=60"}, {"content-length", "5"}};

inline RuleSpec Cached(cache::CachePolicy policy = {}) {
  policy.stores = true;
  if (policy.rule.empty()) policy.rule = "a rule";
  RuleSpec spec;
  spec.cache = std::make_shared<const cache::CachePolicy>(std::move(policy));
  return spec;
}

inline FieldList With(FieldList fields, const FieldList& more) {
  fields.insert(fields.end(), more.begin(), more.end());
  return fields;
}

// A client that asks on many streams at once, before rules that cache.
struct CacheWorld : World {
  explicit CacheWorld(const std::vector<RuleSpec>& rules = {Cached()}, bool http2 = true)
      : World(rules), client(*this, http2) {}

  http::StreamId Ask(std::string_view path = "/a", const FieldList& fields = {}, std::string_view method = "GET") {
    const http::StreamId id = client.Ask(method, path, true, fields);
    client.Turn();
    return id;
  }
  const Client::Answer& Of(http::StreamId id) {
    client.Turn();
    return client.answer(id);
  }
  void Pass(base::Duration time) { Turn(time); }
  // The origin answers all of the last call.
  void Answers(int status, const FieldList& fields, std::string_view content) {
    asked().Head(status, fields, content.empty());
    if (!content.empty()) {
      asked().Content(content);
      asked().End();
    }
    client.Turn();
  }
  // Stores "hello" at /a.
  void Store(const FieldList& more = {}, const FieldList& fields = {}) {
    Ask("/a", fields);
    Answers(200, With(kFresh, more), "hello");
  }
  // "miss 200 hello": what the log says the cache did, and what the client got.
  std::string Result(http::StreamId id) {
    const Client::Answer& answer = Of(id);
    return base::Concat(answer.status, answer.content.empty() ? "" : " ", answer.content,
                        answer.ended   ? ""
                        : answer.reset ? " reset"
                                       : " open");
  }
  std::string LastOutcome() { return records.empty() ? "(none)" : records.back().cache; }

  Client client;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_CACHE_WORLD_FOR_TEST_H_
