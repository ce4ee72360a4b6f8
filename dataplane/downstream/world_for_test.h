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
#include "dataplane/cache/store.h"
#include "dataplane/cache/worker_cache.h"
#include "dataplane/call/fake_origin_for_test.h"
#include "dataplane/compose/budget.h"
#include "dataplane/downstream/connection.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/record_for_test.h"
#include "dataplane/downstream/rules_for_test.h"
#include "dataplane/downstream/site.h"
#include "dataplane/snapshot/snapshot.h"
#include "test/support/scripted_network.h"

namespace portico::test {

inline constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nhost: shop.example\r\n\r\n";
inline constexpr std::string_view kPost = "POST /a HTTP/1.1\r\nhost: shop.example\r\ncontent-length: 5\r\n\r\n";
inline constexpr std::string_view kChunkedPost =
    "POST /a HTTP/1.1\r\nhost: shop.example\r\ntransfer-encoding: chunked\r\n\r\n";

inline size_t Count(std::string_view text, std::string_view piece) {
  size_t count = 0;
  for (size_t at = text.find(piece); at != std::string_view::npos; at = text.find(piece, at + 1))
    ++count;
  return count;
}

inline bool Has(std::string_view text, std::string_view piece) {
  return Count(text, piece) > 0;
}

// One client connection with real exchanges, between a far end that the test plays and origins that it plays too. Its
// destructor looks for what was left behind.
class World : public downstream::Connection::Owner, public downstream::Host {
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
    if (!make_exchange) EXPECT_EQ(records.size(), exchanges_begun) << "records, not one for each exchange";
    for (const auto& [name, origin] : origins) {
      EXPECT_EQ(origin->under_way(), 0u) << name;
      EXPECT_EQ(origin.use_count(), 1) << name << " is kept by an exchange";
    }
    EXPECT_EQ(worker_cache.fills(), 0u);
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
  std::string Lines() const {
    std::string all;
    for (const Record& record : records)
      all += base::Concat(all.empty() ? "" : "; ", record.line);
    return all;
  }

  std::unique_ptr<downstream::ExchangeEvents> NewExchange(downstream::Connection& its, http::StreamId id) override {
    ++exchanges_begun;
    if (make_exchange) return make_exchange(its, id);
    return std::make_unique<downstream::Exchange>(its, id, site);
  }
  void OnClosed(downstream::Connection& closed) override {
    manual_loop.DeleteLater(std::unique_ptr<event::Deletable>(&closed));
    connection = nullptr;
  }
  event::Loop& loop() override { return manual_loop; }
  base::Random& random() override { return random_numbers; }
  filter::WorkerSlots& slots() override { return worker_slots; }
  compose::Budget& composition_budget() override { return compositions; }
  cache::WorkerCache& cache() override { return worker_cache; }
  call::ReplayBudget& replay_budget() override { return replays; }
  std::shared_ptr<call::Backend> FindBackend(std::string_view name) override {
    const auto found = origins.find(std::string(name));
    return found == origins.end() ? nullptr : found->second;
  }
  void OnExchangeEnd(const observe::ExchangeRecord& record) override { records.emplace_back(record); }

  base::BlockPool pool;
  std::map<std::string, std::shared_ptr<FakeOrigin>> origins;
  filter::WorkerSlots worker_slots;
  compose::Budget compositions;
  call::ReplayBudget replays;
  base::Random random_numbers{1};
  std::vector<Record> records;
  size_t exchanges_begun = 0;
  // For tests of a part: instead of an Exchange, which would leave a record.
  std::function<std::unique_ptr<downstream::ExchangeEvents>(downstream::Connection&, http::StreamId)> make_exchange;
  std::shared_ptr<FarEnd> far = std::make_shared<FarEnd>();
  downstream::Site site;
  ManualLoop manual_loop;
  std::shared_ptr<cache::Store> store = std::make_shared<cache::Store>();
  cache::WorkerCache worker_cache{manual_loop, *store};
  downstream::Connection* connection = nullptr;
};

}  // namespace portico::test

#endif  // PORTICO_DATAPLANE_DOWNSTREAM_WORLD_FOR_TEST_H_
