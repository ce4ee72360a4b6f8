#include "controlplane/fleet/fleet.h"

#include <string>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "google/protobuf/util/time_util.h"
#include "gtest/gtest.h"

namespace portico::fleet {
namespace {

using base::Concat;

portico::v1::Proxy ProxyOf(const std::string& gateway, const std::string& node, const std::string& instance = "i") {
  portico::v1::Proxy proxy;
  proxy.set_gateway(gateway);
  proxy.set_node_id(node);
  proxy.set_instance(instance);
  return proxy;
}

int64_t Micros(const google::protobuf::Timestamp& time) {
  return google::protobuf::util::TimeUtil::TimestampToMicroseconds(time);
}

// "d/g edge/i up@5 runs 1@6 wants 2@4 refused 3: why".
std::string Text(const portico::v1::Proxy& proxy) {
  std::string text = Concat(proxy.gateway(), " ", proxy.node_id(), "/", proxy.instance(),
                            proxy.connected() ? " up@" : " down@", Micros(proxy.since()));
  if (proxy.running_revision() != 0) {
    text += Concat(" runs ", proxy.running_revision(), "@", Micros(proxy.running_since()));
  }
  for (const portico::v1::Refusal& refusal : proxy.refusals())
    text += Concat(" without ", refusal.resource());
  if (proxy.wanted_revision() != 0) {
    text += Concat(" wants ", proxy.wanted_revision(), "@", Micros(proxy.wanted_since()));
  }
  if (proxy.refused_revision() != 0)
    text += Concat(" refused ", proxy.refused_revision(), ": ", proxy.refused_reason());
  return text;
}

class FleetTest : public testing::Test {
 protected:
  std::string All() {
    std::string text;
    for (const SharedProxy& proxy : fleet_.List().proxies)
      text += Text(*proxy) + "; ";
    return text;
  }

  int64_t now_ = 1;
  Fleet fleet_{[this] { return now_; }};
};

TEST_F(FleetTest, WhoJoinsIsThereAndWhoLeftIsRemembered) {
  fleet_.OnRevision(7, 3, {{"d/g", 7}});
  const uint64_t stream = fleet_.Join(ProxyOf("d/g", "edge"));
  fleet_.Join(ProxyOf("d/unknown", "edge"));
  EXPECT_EQ(All(), "d/g edge/i up@1 wants 7@3; d/unknown edge/i up@1; ");
  now_ = 5;
  fleet_.Leave(stream);
  fleet_.Leave(stream);
  fleet_.Leave(99);
  EXPECT_EQ(All(), "d/g edge/i down@5 wants 7@3; d/unknown edge/i up@1; ");
  now_ = 4 + Fleet::kRememberedMicros;
  EXPECT_EQ(fleet_.List().proxies.size(), 2u);
  now_ = 5 + Fleet::kRememberedMicros;
  EXPECT_EQ(All(), "d/unknown edge/i up@1; ");
}

TEST_F(FleetTest, AReportIsWhatRuns) {
  const uint64_t stream = fleet_.Join(ProxyOf("d/g", "edge"));
  portico::v1::Refusal refusal;
  refusal.set_resource("Route d/r");
  const struct {
    const char* name;
    Report report;
    const char* after;
  } kRows[] = {
      {"nothing yet", {}, ""},
      {"the first", {.revision = 1}, " runs 1@10"},
      {"said again", {.revision = 1}, " runs 1@10"},
      {"a part refused", {.revision = 2, .refusals = {refusal}}, " runs 2@12 without Route d/r"},
      {"one refused", {2, {refusal}, 3, "no"}, " runs 2@12 without Route d/r refused 3: no"},
      {"a later one", {.revision = 4}, " runs 4@14"},
      {"refused before it said what runs", {0, {}, 5, "no"}, " runs 4@14 refused 5: no"},
  };
  now_ = 9;
  for (const auto& row : kRows) {
    fleet_.OnReport(stream, row.report);
    EXPECT_EQ(All(), Concat("d/g edge/i up@1", row.after, "; ")) << row.name;
    ++now_;
  }
}

TEST_F(FleetTest, TheNewestStreamSpeaks) {
  const uint64_t old = fleet_.Join(ProxyOf("d/g", "edge"));
  fleet_.OnReport(old, {.revision = 1});
  now_ = 2;
  const uint64_t next = fleet_.Join(ProxyOf("d/g", "edge"));
  fleet_.OnReport(old, {.revision = 9});
  fleet_.Leave(old);
  EXPECT_EQ(All(), "d/g edge/i up@2 runs 1@1; ");
  fleet_.Leave(next);
  now_ = 3;
  fleet_.Join(ProxyOf("d/g", "edge"));
  now_ = 3 + Fleet::kRememberedMicros;  // who came back is not forgotten for having left
  EXPECT_EQ(All(), "d/g edge/i up@3 runs 1@1; ");
}

TEST_F(FleetTest, TwoInstancesOfANodeAreTwo) {
  const uint64_t a = fleet_.Join(ProxyOf("d/g", "edge", "a"));
  fleet_.Join(ProxyOf("d/g", "edge", "b"));
  fleet_.OnReport(a, {.revision = 1});
  EXPECT_EQ(All(), "d/g edge/a up@1 runs 1@1; d/g edge/b up@1; ");
}

TEST_F(FleetTest, ARevisionIsWantedOfWhomItConcerns) {
  fleet_.Join(ProxyOf("d/a", "1"));
  fleet_.Join(ProxyOf("d/a", "2"));
  fleet_.Join(ProxyOf("d/ab", "3"));
  fleet_.OnRevision(4, 8, {{"d/a", 4}});
  EXPECT_EQ(All(), "d/a 1/i up@1 wants 4@8; d/a 2/i up@1 wants 4@8; d/ab 3/i up@1; ");
  fleet_.OnRevision(5, 9, {});
  EXPECT_EQ(fleet_.List().revision, 5u);
  fleet_.OnRevision(6, 9, {{"d/a", 0}});
  EXPECT_EQ(All(), "d/a 1/i up@1; d/a 2/i up@1; d/ab 3/i up@1; ");
}

TEST_F(FleetTest, TooManyThatLeftGoTheOldestFirst) {
  for (size_t i = 0; i <= Fleet::kGoneMax; ++i) {
    now_ = static_cast<int64_t>(i) + 1;
    fleet_.Leave(fleet_.Join(ProxyOf("d/g", Concat("n", i))));
  }
  const Fleet::Listing listing = fleet_.List();
  EXPECT_EQ(listing.proxies.size(), Fleet::kGoneMax);
  for (const SharedProxy& proxy : listing.proxies)
    EXPECT_NE(proxy->node_id(), "n0");
}

TEST_F(FleetTest, WhatIsKeptOfAReportIsBoundedAndLessOnceItsProxyHasLeft) {
  Report report{.revision = 1, .refused_revision = 2, .refused_reason = std::string(100'000, 'x')};
  for (int i = 0; i < 1000; ++i)
    report.refusals.emplace_back().set_resource(Concat("Route d/r", i));
  for (portico::v1::Refusal& refusal : report.refusals)
    refusal.set_reason(std::string(5000, 'x'));
  const uint64_t stream = fleet_.Join(ProxyOf("d/g", "edge"));
  fleet_.OnReport(stream, report);
  const size_t here = fleet_.List().proxies.front()->ByteSizeLong();
  EXPECT_GT(here, 10'000u);
  EXPECT_LT(here, 40'000u);
  fleet_.Leave(stream);
  const SharedProxy left = fleet_.List().proxies.front();
  EXPECT_LT(left->ByteSizeLong(), 3'000u);
  EXPECT_EQ(left->refusals(0).resource(), "Route d/r0");
  EXPECT_EQ(left->refusals().rbegin()->resource(), Concat("and ", 1001 - left->refusals_size(), " more"));
  fleet_.Join(ProxyOf("d/g", "edge"));
  EXPECT_EQ(fleet_.List().proxies.front()->refusals_size(), left->refusals_size());
}

TEST_F(FleetTest, CountsProxiesByState) {
  const auto counts = [this] {
    const Counts now = fleet_.Count();
    return Concat(now.current, " ", now.behind, " ", now.refusing, " ", now.gone);
  };
  EXPECT_EQ(counts(), "0 0 0 0");
  const uint64_t a = fleet_.Join(ProxyOf("d/g", "a")), b = fleet_.Join(ProxyOf("d/g", "b"));
  EXPECT_EQ(counts(), "2 0 0 0");  // nothing is wanted of them
  fleet_.OnRevision(3, 1, {{"d/g", 3}});
  EXPECT_EQ(counts(), "0 2 0 0");
  fleet_.OnReport(a, {.revision = 3});
  EXPECT_EQ(counts(), "1 1 0 0");
  fleet_.OnReport(b, {.refused_revision = 3, .refused_reason = "no"});
  EXPECT_EQ(counts(), "1 0 1 0");
  fleet_.OnReport(b, {.revision = 3, .refusals = {{}}});
  EXPECT_EQ(counts(), "1 0 1 0");
  fleet_.Leave(b);
  EXPECT_EQ(counts(), "1 0 0 1");
}

TEST_F(FleetTest, AFollowerIsToldUntilItEnds) {
  std::string told;
  const auto follower = [&told](const Notice& notice) {
    told += Concat(notice.revision, ":");
    for (const SharedProxy& proxy : notice.changed)
      told += Concat(" ", proxy->node_id(), proxy->connected() ? "+" : "-");
    for (const Key& key : notice.gone)
      told += Concat(" forgets ", key.node_id);
    told += "; ";
  };
  const uint64_t stream = fleet_.Join(ProxyOf("d/g", "a"));
  auto following = fleet_.Follow(follower);
  EXPECT_EQ(std::exchange(told, ""), "0: a+; ");
  fleet_.OnReport(stream, {.revision = 1});
  fleet_.OnReport(stream, {.revision = 1});  // nothing new
  fleet_.OnRevision(2, 1, {});
  fleet_.Leave(stream);
  EXPECT_EQ(std::exchange(told, ""), "0: a+; 2:; 2: a-; ");
  now_ += Fleet::kRememberedMicros;
  fleet_.List();
  EXPECT_EQ(std::exchange(told, ""), "2: forgets a; ");
  following = nullptr;
  fleet_.Join(ProxyOf("d/g", "b"));
  EXPECT_EQ(told, "");
}

}  // namespace
}  // namespace portico::fleet
