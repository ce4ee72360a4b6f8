#ifndef PORTICO_DATAPLANE_DOWNSTREAM_WORLD_FOR_TEST_H_
#define PORTICO_DATAPLANE_DOWNSTREAM_WORLD_FOR_TEST_H_

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/fake_origin_for_test.h"
#include "dataplane/downstream/site.h"
#include "dataplane/filter/filter.h"
#include "dataplane/route/route_table.h"
#include "dataplane/snapshot/snapshot.h"
#include "test/support/scripted_network.h"

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
};

inline std::shared_ptr<const snapshot::Port> MakePort(const std::vector<RuleSpec>& specs,
                                                      const snapshot::ClientConfig& client) {
  auto bound = std::make_shared<std::vector<std::shared_ptr<const snapshot::BoundRule>>>();
  std::map<std::string, route::ListenerRoutes> listeners;
  for (const RuleSpec& spec : specs) {
    auto rule = std::make_shared<route::Rule>(spec.rule);
    rule->id = bound->size();
    rule->route = base::Concat("default/route", rule->id);
    rule->listener_port = 8080;
    rule->backends.resize(spec.backends.size());
    rule->weight_sum = spec.backends.size();
    bound->push_back(std::make_shared<const snapshot::BoundRule>(
        snapshot::BoundRule{rule, filter::Chain(spec.filters), spec.backends}));
    route::RuleMatch match;
    match.path = spec.path;
    match.rule = rule;
    route::ListenerRoutes& listener = listeners[spec.hostname];
    listener.name = base::Concat("listener", listeners.size());
    listener.hostname = spec.hostname;
    listener.matches.push_back(match);
  }
  auto port = std::make_shared<snapshot::Port>();
  std::vector<route::ListenerRoutes> list;
  for (auto& [hostname, listener] : listeners)
    list.push_back(std::move(listener));
  port->routes = std::make_shared<const route::RouteTable>(std::move(list));
  port->rules = std::move(bound);
  port->client = std::make_shared<const snapshot::ClientConfig>(client);
  return port;
}

// A record with its texts copied: "GET /a -> 200 error=… reason=…", aborted ones with " aborted".
struct Record {
  explicit Record(const observe::ExchangeRecord& from)
      : record(from),
        client(from.client),
        protocol(from.protocol),
        tls(from.tls),
        authority(from.authority),
        route(from.route),
        cluster(from.cluster),
        endpoint(from.endpoint),
        request_id(from.request_id),
        subject(from.subject),
        reason(from.reason) {
    line = base::Concat(from.method, from.method.empty() ? "" : " ", from.target, from.target.empty() ? "" : " ", "-> ",
                        from.status);
    if (!from.error.empty()) line += base::Concat(" error=", from.error);
    if (from.aborted) line += " aborted";
  }
  observe::ExchangeRecord record;  // its numbers: the texts are gone
  std::string client, protocol, tls, authority, route, cluster, endpoint, request_id, subject, reason;
  std::string line;
};

// One client connection with real exchanges, between a far end that the test plays and origins that it plays too. Its
// destructor looks for what was left behind.
class World final : public downstream::Connection::Owner, public downstream::Host {
 public:
  explicit World(const std::vector<RuleSpec>& rules = {RuleSpec{}}, const snapshot::ClientConfig& client = {},
                 const std::function<void(FarEnd&)>& prepare = nullptr)
      : site{*this, MakePort(rules, client)} {
    AddOrigin("default/orders");
    far->open = true;
    far->address = *net::Address::Parse("192.0.2.7", 5000);
    if (prepare) prepare(*far);
    connection = new downstream::Connection(manual_loop, pool, std::make_unique<ScriptedStream>(far), *this,
                                            {site.port->client, &site.port->client->limits},
                                            {.request_head = client.request_head_timeout});
  }
  ~World() override {
    if (connection != nullptr) connection->Close();
    manual_loop.Turn();
    EXPECT_TRUE(far->destroyed);
    EXPECT_EQ(records.size(), exchanges_begun) << "records, not one for each exchange";
    for (const auto& [name, origin] : origins) {
      EXPECT_EQ(origin->under_way(), 0u) << name;
      EXPECT_EQ(origin.use_count(), 1) << name << " is kept by an exchange";
    }
    EXPECT_EQ(pool.blocks_in_use(), 0u);
    EXPECT_EQ(manual_loop.timers().size(), 0u);
  }

  void AddOrigin(const std::string& name) { origins[name] = std::make_shared<FakeOrigin>(name); }
  FakeOrigin& origin() { return *origins.at("default/orders"); }
  // The call that was begun last; only if there is one.
  Asked& asked() { return *origin().asked.back(); }
  size_t asked_count() { return origin().asked.size(); }

  void Say(std::string_view bytes) {
    far->Say(bytes);
    manual_loop.Turn();
  }
  void Turn(base::Duration later = base::Duration(0)) { manual_loop.Turn(later); }
  // What the client got since the last call.
  std::string Got() {
    manual_loop.Turn();
    return far->TakeWritten();
  }
  void LetWrite(size_t room) {
    far->write_room = room;
    if (far->handler != nullptr) far->handler->OnWritable();
    manual_loop.Turn();
  }
  // The lines of all records, and nothing else.
  std::string Lines() const {
    std::string all;
    for (const Record& record : records)
      all += base::Concat(all.empty() ? "" : "; ", record.line);
    return all;
  }

  // downstream::Connection::Owner
  std::unique_ptr<downstream::ExchangeEvents> NewExchange(downstream::Connection& its, http::StreamId id) override {
    ++exchanges_begun;
    return std::make_unique<downstream::Exchange>(its, id, site);
  }
  void OnClosed(downstream::Connection& closed) override {
    manual_loop.DeleteLater(std::unique_ptr<event::Deletable>(&closed));
    connection = nullptr;
  }
  // downstream::Host
  event::Loop& loop() override { return manual_loop; }
  base::Random& random() override { return random_numbers; }
  filter::WorkerSlots& slots() override { return worker_slots; }
  std::shared_ptr<call::Backend> FindBackend(std::string_view name) override {
    const auto found = origins.find(std::string(name));
    return found == origins.end() ? nullptr : found->second;
  }
  void OnExchangeEnd(const observe::ExchangeRecord& record) override { records.emplace_back(record); }

  base::BlockPool pool;
  std::map<std::string, std::shared_ptr<FakeOrigin>> origins;
  filter::WorkerSlots worker_slots;
  base::Random random_numbers{1};
  std::vector<Record> records;
  size_t exchanges_begun = 0;
  std::shared_ptr<FarEnd> far = std::make_shared<FarEnd>();
  downstream::Site site;
  ManualLoop manual_loop;
  downstream::Connection* connection = nullptr;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_WORLD_FOR_TEST_H_
