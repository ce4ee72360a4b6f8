#ifndef PORTICO_DATAPLANE_DOWNSTREAM_RULES_FOR_TEST_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_RULES_FOR_TEST_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/filter/filter.h"
#include "dataplane/filter/problem.h"
#include "dataplane/route/route_table.h"
#include "dataplane/snapshot/snapshot.h"

// What a World is configured with.

namespace portico::test {

// A filter that does as the test says, and counts who is alive.
struct FilterScript {
  std::function<filter::Verdict(filter::FilterContext&, filter::Resume)> act = [](auto&, auto) {
    return filter::Continue();
  };
  std::vector<filter::Resume> handles;
  int alive = 0;
};

class ScriptedFilterConfig final : public filter::FilterConfig {
 public:
  explicit ScriptedFilterConfig(FilterScript& script) : script_(script) {}
  std::unique_ptr<filter::Filter> MakeFilter(filter::WorkerSlots&) const override {
    return std::make_unique<ScriptedFilter>(script_);
  }

 private:
  class ScriptedFilter final : public filter::Filter {
   public:
    explicit ScriptedFilter(FilterScript& script) : script_(script) { ++script_.alive; }
    ~ScriptedFilter() override { --script_.alive; }
    filter::Verdict OnRequestHead(filter::FilterContext& context, filter::Resume resume) override {
      script_.handles.push_back(resume);
      return script_.act(context, resume);
    }
    void OnRequestTrailers(filter::FilterContext&, http::Fields& trailers) override { trailers.Remove("x-user"); }
    void OnResponseHead(filter::FilterContext&, http::ResponseHead& head) override {
      head.fields.Add("x-filtered", "yes");
    }

   private:
    FilterScript& script_;
  };

  FilterScript& script_;
};

struct RuleSpec {
  std::string path;      // a prefix, "" any
  std::string hostname;  // of its listener, "" any
  route::Rule rule = {};
  std::vector<std::shared_ptr<const filter::FilterConfig>> filters = {};
  std::vector<snapshot::BoundBackend> backends = {snapshot::BoundBackend{"", "default/orders", nullptr, {}}};
  std::shared_ptr<const cache::CachePolicy> cache = nullptr;
};

inline std::shared_ptr<const snapshot::Port> MakePort(const std::vector<RuleSpec>& specs,
                                                      const snapshot::ClientConfig& client) {
  std::map<std::string, route::ListenerRoutes> listeners;
  size_t routes = 0;
  for (const RuleSpec& spec : specs) {
    auto rule = std::make_shared<snapshot::BoundRule>(spec.rule);
    rule->route = base::Concat("default/route", routes++);
    rule->listener_port = 8080;
    rule->backends.resize(spec.backends.size());
    rule->weight_sum = spec.backends.size();
    rule->chain = filter::Chain(spec.filters);
    rule->cache = spec.cache;
    for (const snapshot::BoundBackend& backend : spec.backends)
      rule->bound_backends.push_back(std::make_shared<const snapshot::BoundBackend>(backend));
    route::RuleMatch match;
    match.path = spec.path;
    match.rule = rule;
    route::ListenerRoutes& listener = listeners[spec.hostname];
    listener.name = base::Concat("listener", listeners.size());
    listener.hostname = spec.hostname;
    const auto shared = std::make_shared<const route::RuleMatch>(std::move(match));
    listener.matches.Put(shared, shared);
  }
  auto port = std::make_shared<snapshot::Port>();
  std::vector<route::ListenerRoutes> list;
  for (auto& [hostname, listener] : listeners)
    list.push_back(std::move(listener));
  port->routes = std::make_shared<const route::RouteTable>(std::move(list));
  port->client = std::make_shared<const snapshot::ClientConfig>(client);
  return port;
}

inline RuleSpec Faulty(std::string fault) {
  RuleSpec spec;
  spec.backends = {{std::move(fault), "", nullptr, {}}};
  return spec;
}

inline RuleSpec Unknown() {
  RuleSpec spec;
  spec.backends = {{"", "default/gone", nullptr, {}}};
  return spec;
}

inline RuleSpec Direct(int status, std::string content) {
  RuleSpec spec;
  spec.rule.direct_response = route::DirectResponse{status, {{"content-type", "text/plain"}}, std::move(content)};
  return spec;
}

inline RuleSpec Redirecting() {
  RuleSpec spec;
  spec.rule.redirect = route::Redirect{"https", "", std::nullopt, std::nullopt, 301};
  return spec;
}

inline RuleSpec Filtered(FilterScript& script) {
  RuleSpec spec;
  spec.filters = {std::make_shared<test::ScriptedFilterConfig>(script)};
  return spec;
}

inline snapshot::ClientConfig ContentMax(uint64_t bytes) {
  snapshot::ClientConfig client;
  client.request_content_bytes_max = bytes;
  return client;
}

inline void ThenReply(FilterScript& script, int status) {
  script.act = [status](auto&, auto) { return filter::ProblemReply(status, "because"); };
}

inline void ThenWait(FilterScript& script) {
  script.act = [](auto&, auto) { return filter::Wait(); };
}

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_RULES_FOR_TEST_H_
