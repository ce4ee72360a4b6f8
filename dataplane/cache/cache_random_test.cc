#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/cache/world_for_test.h"

namespace portico::cache {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FieldList;

constexpr base::Duration kLifetime = seconds(10);

// What one call of the origin's said, and what may be done with it.
struct Said {
  size_t uri = 0, client = 0;
  std::string rule, x;  // the field that `vary` names
  bool varies = false, is_public = false, is_private = false, is_about_the_request = false;
  std::string whole;
  size_t asked_tick = 0;      // when its origin was asked for it
  size_t validated_tick = 0;  // or the last time if it still holds
  base::MonotonicTime validated;
};

// One that asks, and what it may be given.
struct Asking {
  Client* client = nullptr;
  size_t uri = 0, tick = 0;
  size_t invalidated = 0;  // when that was, as of its tick
  std::string rule, x;
  bool authorized = false, wants_a_new_one = false, is_conditional = false;
  bool is_judged = false, is_head_judged = false;
};

// Clients ask, read, rest and leave, an origin answers as it likes, all of it at random, and then each answer is looked
// at: whose it was, how old, and if it was whole.
class RandomWorld : public CacheWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed) { store.set_bytes_max(60'000); }

  void Run() {
    for (int i = 0; i < 250; ++i) {
      ++tick_;
      Step();
      Judge();
    }
    for (int round = 0; round < 200 && !IsOver(); ++round) {
      ++tick_;
      for (size_t i = 0; i < asked_ticks_.size(); ++i)
        if (origin->asked[i]->alive()) Play(i, true);
      for (Asking& one : askings_)
        Read(one);
      Pass(milliseconds(100));
      Judge();
    }
    EXPECT_TRUE(IsOver()) << "somebody still waits";
    End();
  }
  size_t hits = 0, shared = 0, revalidated = 0, whole = 0;

 private:
  size_t Below(size_t bound) { return static_cast<size_t>(random_.Next() % bound); }
  bool OneIn(size_t count) { return Below(count) == 0; }

  // What is this moment's is looked at before it is over.
  void Pass(base::Duration time) {
    loop.Turn();
    Judge();
    loop.Turn(time);
  }

  void Step() {
    switch (Below(12)) {
      case 0:
      case 1:
      case 2:
        return AskOne();
      case 3:
        if (OneIn(2)) return Post();
        return Pass(milliseconds(OneIn(10) ? 12'000 : Below(4000)));
      case 4:
        if (!OneIn(8)) return;
        Purge();
        return invalidated_.fill(tick_);
      case 5:
        if (askings_.empty()) return;
        return askings_[Below(askings_.size())].client->Leave();
      case 6:
        for (Asking& one : askings_)
          if (OneIn(3)) Read(one);
        return loop.Turn();
      default:
        if (origin->asked.empty()) return;
        Play(origin->asked.size() - 1 - Below(std::min<size_t>(origin->asked.size(), 6)), false);
        return loop.Turn();
    }
  }

  void AskOne() {
    Asking one{.uri = Below(3), .tick = tick_, .rule = OneIn(8) ? "two" : "one", .x = std::to_string(Below(2))};
    one.authorized = OneIn(5);
    one.invalidated = invalidated_[one.uri];
    FieldList fields = {{"x", one.x}, {"client", std::to_string(askings_.size())}};
    if (one.authorized) fields.emplace_back("authorization", "a");
    constexpr std::array kControls = {"no-cache",    "max-age=0", "max-age=5",
                                      "min-fresh=5", "no-store",  "only-if-cached"};
    if (OneIn(4)) {
      const size_t control = Below(kControls.size());
      one.wants_a_new_one = control < 2;
      fields.emplace_back("cache-control", kControls[control]);
    }
    if (OneIn(8)) fields.emplace_back("range", "bytes=2-9");
    if (OneIn(6)) fields.emplace_back("if-none-match", base::Concat("\"", Below(said_.size() + 1), "\""));
    one.is_conditional = fields.back().first == "range" || fields.back().first == "if-none-match";
    one.client = &Begin(base::Concat("/", one.uri), {.fields = fields,
                                                     .method = OneIn(10) ? "HEAD" : "GET",
                                                     .policy = CachePolicy{.stores = true, .rule = one.rule},
                                                     .other_worker = OneIn(3)});
    one.client->reads = !OneIn(4);
    askings_.push_back(one);
    if (OneIn(2)) loop.Turn();
  }

  // What it invalidates it has invalidated when its answer, or none, is heard; looked for before anything else is done.
  void Post() {
    const size_t uri = Below(3);
    Client& client = Begin(base::Concat("/", uri), {.method = "POST"});
    const size_t end = Below(3);
    if (end == 0) asked().Answer(200, "done");
    if (end == 1) asked().Fail(call::ErrorKind::kConnectionTerminated);
    client.Leave();
    invalidated_[uri] = tick_;
  }

  // The origin's next word in that call.
  void Play(size_t number, bool ends) {
    test::Asked& call = *origin->asked[number];
    if (!call.alive() || call.method == "POST") return;
    if (!ends && OneIn(20)) return call.Fail(call::ErrorKind::kConnectionTerminated);
    if (!call.answered) return PlayHead(number);
    const auto found = of_call_.find(number);
    if (found == of_call_.end()) return;  // over, though its client has not left yet
    const std::string& whole = said_[found->second].whole;
    size_t& sent = sent_[number];
    const size_t count = ends ? whole.size() - sent : std::min(whole.size() - sent, 1 + Below(900));
    call.Content(std::string_view(whole).substr(sent, count));
    sent += count;
    if (sent < whole.size()) return;
    of_call_.erase(number);
    call.End();
  }

  void PlayHead(size_t number) {
    test::Asked& call = *origin->asked[number];
    if (OneIn(20)) call.Head(103, {});
    if (call.Field("if-none-match") != "(none)" && OneIn(2)) return PlayNotModified(call, number);
    Said said;
    said.client = std::stoul(call.Field("client"));
    said.uri = askings_[said.client].uri;
    said.rule = askings_[said.client].rule;
    said.x = call.Field("x");
    said.varies = OneIn(3);
    said.is_public = OneIn(3);
    said.is_private = OneIn(6);
    said.asked_tick = said.validated_tick = asked_ticks_[number];
    said.validated = asked_times_[number];
    said.is_about_the_request = OneIn(12);
    const std::string serial = std::to_string(said_.size());
    said.whole = base::Concat(serial, " ", std::string(20 + Below(OneIn(5) ? 20'000 : 500), 'x'));
    std::string control =
        base::Concat("max-age=10", said.is_public ? ", public" : "", said.is_private ? ", private" : "");
    FieldList fields = {{"cache-control", control}, {"serial", serial}};
    if (!OneIn(4)) fields.emplace_back("etag", base::Concat("\"", serial, "\""));
    if (said.varies) fields.emplace_back("vary", "x");
    if (!OneIn(3)) fields.emplace_back("content-length", std::to_string(said.whole.size()));
    const int status = said.is_about_the_request ? 431 : OneIn(15) ? 404 : 200;
    if (call.method == "GET") of_call_[number] = said_.size();
    said_.push_back(std::move(said));
    call.Head(status, fields, call.method == "HEAD");
  }

  // True ones, and lies about another.
  void PlayNotModified(test::Asked& call, size_t number) {
    const std::string tag = call.Field("if-none-match");
    const size_t serial = std::stoul(tag.substr(1));
    if (OneIn(6)) return call.Head(304, {{"etag", "\"lie\""}}, true);
    if (serial < said_.size()) {
      said_[serial].validated_tick = asked_ticks_[number];
      said_[serial].validated = asked_times_[number];
    }
    call.Head(304, {{"etag", tag}}, true);
  }

  void Read(Asking& one) {
    Client& client = *one.client;
    size_t heard = 0;
    for (const base::Slice& slice : client.kept)
      heard += slice.size();
    client.kept.clear();
    if (!client.reads && client.call != nullptr) client.call->Consumed(heard);
  }

  bool IsOver() const {
    return std::all_of(askings_.begin(), askings_.end(), [](const Asking& one) {
      return one.client->call == nullptr || one.client->ended || one.client->failed;
    });
  }

  void Judge() {
    for (size_t i = asked_ticks_.size(); i < origin->asked.size(); ++i) {
      asked_ticks_.push_back(tick_);
      asked_times_.push_back(loop.Now());
    }
    for (size_t i = 0; i < askings_.size(); ++i) {
      Asking& one = askings_[i];
      if (one.client->status != 0 && !std::exchange(one.is_head_judged, true)) JudgeHead(one, i);
      if (one.client->ended && !std::exchange(one.is_judged, true)) JudgeWhole(one);
    }
  }

  // As of now: it has just come.
  void JudgeHead(const Asking& one, size_t number) {
    const Client& client = *one.client;
    if (client.status == 304 || client.status == 416) EXPECT_TRUE(one.is_conditional);
    const std::string serial = client.Field("serial");
    if (serial == "(none)") return;
    const Said& said = said_[std::stoul(serial)];
    EXPECT_EQ(said.uri, one.uri);
    EXPECT_EQ(said.rule, one.rule);
    if (said.client == number) return;  // its own call's answer
    ++shared;
    EXPECT_FALSE(said.is_private);
    EXPECT_FALSE(said.is_about_the_request);
    if (said.varies) EXPECT_EQ(said.x, one.x);
    if (one.authorized) EXPECT_TRUE(said.is_public);
    EXPECT_GT(said.asked_tick, one.invalidated) << "it was purged or made invalid before it was asked for";
    const bool is_new = said.validated_tick >= one.tick;  // the origin was asked for this very request
    EXPECT_TRUE(is_new || loop.Now() - said.validated < kLifetime) << "stale";
    if (one.wants_a_new_one) EXPECT_TRUE(is_new) << "not asked for anew";
  }

  void JudgeWhole(const Asking& one) {
    const Client& client = *one.client;
    const std::string serial = client.Field("serial");
    if (serial == "(none)" || client.status == 304) return;
    const std::string& content = said_[std::stoul(serial)].whole;
    if (client.Field("content-range") != "(none)") {
      if (client.status == 206) EXPECT_EQ(client.content, content.substr(2, 8));
    } else if (client.head.method == "GET") {
      EXPECT_TRUE(client.content == content) << "not whole, or another's";
      ++whole;
    }
    hits += client.outcome == "hit" ? 1 : 0;
    revalidated += client.outcome == "revalidated" ? 1 : 0;
  }

  void End() {
    for (Asking& one : askings_) {
      one.client->Leave();
      one.client->kept.clear();
    }
    loop.Turn();
    store.set_bytes_max(0);
    EXPECT_EQ(store.bytes(), 0u);
    EXPECT_EQ(store.filling_bytes(), 0u);
    EXPECT_EQ(worker.fills() + other_worker.fills(), 0u);
    EXPECT_EQ(origin->under_way(), 0u);
    EXPECT_EQ(loop.timers().size(), 0u);
  }

  base::Random random_;
  size_t tick_ = 0;
  std::vector<Asking> askings_;
  std::vector<Said> said_;
  std::vector<size_t> asked_ticks_;
  std::vector<base::MonotonicTime> asked_times_;
  std::map<size_t, size_t> of_call_, sent_;  // by the call's number
  std::array<size_t, 3> invalidated_{};
};

TEST(CacheRandomTest, NobodyIsGivenWhatIsNotTheirs) {
  size_t hits = 0, shared = 0, revalidated = 0, whole = 0;
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(base::Concat("seed ", seed));
    RandomWorld world(seed);
    world.Run();
    hits += world.hits;
    shared += world.shared;
    revalidated += world.revalidated;
    whole += world.whole;
    if (testing::Test::HasFailure()) break;
  }
  // That all of it came about.
  EXPECT_GT(hits, 500u);
  EXPECT_GT(shared, 1000u);
  EXPECT_GT(revalidated, 20u);
  EXPECT_GT(whole, 5000u);
}

}  // namespace
}  // namespace portico::cache
