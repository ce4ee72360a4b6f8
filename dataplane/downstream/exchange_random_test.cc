#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/random.h"
#include "dataplane/downstream/client_for_test.h"
#include "dataplane/downstream/exchange.h"
#include "dataplane/downstream/world_for_test.h"

namespace portico::downstream {
namespace {

using namespace test;  // World and its words
using std::chrono::milliseconds;
using std::chrono::seconds;

snapshot::ClientConfig SmallLimits() {
  snapshot::ClientConfig client;
  client.request_content_bytes_max = 1500;
  client.stream_idle_timeout = seconds(20);
  client.limits.stream_window_bytes = 1000;
  return client;
}

// A client, origins and a filter that do what comes to their minds, in any order. Every request carries its number, and
// every piece of content for it or of it says that number: nothing may reach another.
class Chaos {
 public:
  Chaos(uint64_t seed, bool http2) : random_(seed), world_(Rules(), SmallLimits()), client_(world_, http2) {}

  void Run() {
    for (int step = 0; step < 80; ++step) {
      Act(random_.Below(20));
      client_.Turn();
      for (const auto& [id, answer] : client_.answers())
        EXPECT_LE(answer->finals, 1) << numbers_[id];
    }
    Settle();
  }

 private:
  std::vector<RuleSpec> Rules() {
    ThenWait(filter_);
    RuleSpec waits = Filtered(filter_), late, plain;
    waits.path = "/waits";
    waits.rule.request_timeout = seconds(15);
    late.path = "/late";
    late.rule.request_timeout = seconds(2);
    RuleSpec direct = Direct(200, "direct");
    direct.path = "/direct";
    return {waits, late, direct, plain};
  }

  void Act(uint64_t what) {
    switch (what) {
      case 0:
      case 1:
      case 2:
      case 3:
        return Ask();
      case 4:
      case 5:
      case 6:
        return SendContent();
      case 7:
        return left_ ? void() : (client_.Turn(), world_.LetWrite(random_.Below(2) == 0 ? 0 : random_.Below(500)));
      case 8:
        return world_.LetWrite(SIZE_MAX);
      case 9:
        return world_.Turn(milliseconds(random_.Below(4000)));
      case 10:
        return ResumeFilter();
      case 11:
        return Leave();
      default:
        return OriginActs();
    }
  }

  void Ask() {
    if (left_) return;
    const std::string_view paths[] = {"/", "/waits", "/late", "/direct"};
    const std::string_view methods[] = {"GET", "HEAD", "POST"};
    const std::string_view method = methods[random_.Below(3)];
    const std::string target = base::Concat(paths[random_.Below(4)], "?", ++number_);
    const bool end = method != "POST";
    const http::StreamId id = client_.Ask(method, target, end);
    if (id == 0) return;
    numbers_[id] = number_;
    if (!end) uploads_.push_back(id);
  }

  void SendContent() {
    if (left_ || uploads_.empty()) return;
    const size_t place = random_.Below(uploads_.size());
    const http::StreamId id = uploads_[place];
    const bool end = random_.Below(4) == 0;
    client_.Content(id, Pieces(numbers_[id], random_.Below(300) + 1), end);
    if (end) uploads_.erase(uploads_.begin() + static_cast<std::ptrdiff_t>(place));
  }

  void ResumeFilter() {
    if (filter_.handles.empty()) return;
    const filter::Resume& resume = filter_.handles[random_.Below(filter_.handles.size())];
    random_.Below(3) == 0 ? resume(filter::ProblemReply(403, "no")) : resume(filter::Continue());
  }

  void Leave() {
    const uint64_t how = random_.Below(8);
    if (how == 0) world_.far->Fail();
    if (how == 1) world_.far->End();
    left_ = left_ || how < 2;
    if (how < 4 || left_ || numbers_.empty()) return;
    const auto chosen = std::next(numbers_.begin(), static_cast<std::ptrdiff_t>(random_.Below(numbers_.size())));
    if (const Client::Answer& answer = client_.answer(chosen->first); answer.ended || answer.reset) return;
    client_.Reset(chosen->first);
    given_up_.push_back(chosen->first);
    std::erase(uploads_, chosen->first);
  }

  void OriginActs() {
    std::vector<Asked*> alive;
    for (const auto& asked : world_.origin().asked)
      if (asked->alive()) alive.push_back(asked.get());
    if (alive.empty()) return;
    Asked& asked = *alive[random_.Below(alive.size())];
    const uint64_t what = random_.Below(12);
    if (what == 0) return asked.Fail(call::ErrorKind::kConnectionTerminated);
    if (what == 1) asked.unsent = http::kSendHighMarkBytes + 1;
    if (what == 2) return asked.TakeAll();
    if (!asked.answered) {
      if (what == 3) return asked.Head(103);
      return asked.Head(what == 4 ? 204 : 200, {}, asked.method == "HEAD" || what == 4);
    }
    if (what == 5) return asked.Trailers({{"t", "1"}});
    if (what < 8) return asked.End();
    asked.Content(Pieces(Number(asked), random_.Below(random_.Below(20) == 0 ? 100'000 : 100) + 1));
  }

  static std::string Pieces(uint64_t number, size_t count) {
    const std::string piece = base::Concat(number, ";");
    std::string text;
    for (size_t i = 0; i < count; ++i)
      text += piece;
    return text;
  }
  static uint64_t Number(const Asked& asked) {
    return base::ParseDecimal(asked.target.substr(asked.target.find('?') + 1)).value_or(0);
  }
  // True if it is a beginning of Pieces(number, …).
  static bool IsOf(std::string_view content, uint64_t number) {
    return content == std::string_view(Pieces(number, content.size() / 2 + 1)).substr(0, content.size());
  }

  void Check() {
    for (const auto& asked : world_.origin().asked) {
      EXPECT_TRUE(IsOf(asked->content, Number(*asked))) << asked->target << " got another's content";
      EXPECT_LE(asked->ends, 1);
    }
    for (const auto& [id, answer] : client_.answers()) {
      const bool own = answer->status != 200 || answer->content == "direct" ||
                       std::string_view("direct").starts_with(answer->content) || IsOf(answer->content, numbers_[id]);
      EXPECT_TRUE(own) << numbers_[id] << " got another's content";
    }
    EXPECT_LE(world_.records.size(), world_.exchanges_begun);
  }

  // The client reads everything, time passes: then all of it is over.
  void Settle() {
    world_.LetWrite(SIZE_MAX);
    for (int i = 0; i < 30; ++i) {
      client_.Turn();
      world_.Turn(seconds(3));
    }
    client_.Turn();
    Check();
    EXPECT_EQ(world_.records.size(), world_.exchanges_begun) << "over without a line in the log, or never";
    EXPECT_EQ(world_.origin().under_way(), 0u);
    EXPECT_EQ(filter_.alive, 0);
    for (const auto& [id, answer] : client_.answers()) {
      if (left_ || std::ranges::find(given_up_, id) != given_up_.end()) continue;
      EXPECT_TRUE(answer->reset || (answer->ended && answer->finals == 1)) << numbers_[id] << " was never answered";
    }
  }

  base::Random random_;
  FilterScript filter_;
  World world_;
  Client client_;
  uint64_t number_ = 0;
  std::map<http::StreamId, uint64_t> numbers_;  // of every request ever sent
  std::vector<http::StreamId> uploads_;         // whose content goes on
  std::vector<http::StreamId> given_up_;
  bool left_ = false;
};

TEST(ExchangeRandomTest, EveryRequestEndsOnceAndLeavesNothing) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    for (const bool http2 : {false, true}) {
      SCOPED_TRACE(base::Concat("seed ", seed, http2 ? ", HTTP/2" : ", HTTP/1.1"));
      Chaos(seed, http2).Run();
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace portico::downstream
