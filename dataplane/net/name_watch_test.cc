#include "dataplane/net/name_watch.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "test/support/fake_resolver.h"
#include "test/support/scripted_network.h"

namespace portico::net {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Answer;

struct World : NameWatch::Handler {
  void OnLookup(Family family, const Resolution& resolution) override {
    lookups += (family == Family::kV4 ? "A " : "AAAA ") + std::string(OutcomeName(resolution.outcome)) + "; ";
  }
  void OnAddresses(const std::vector<Address>& addresses) override {
    ++told;
    now.clear();
    for (const Address& address : addresses)
      now += (now.empty() ? "" : ", ") + address.ip();
    if (now.empty()) now = "none";
  }
  bool A(Resolution resolution) { return resolver.Say("a.test", Family::kV4, std::move(resolution)); }
  bool A(LookupOutcome outcome) { return resolver.Say("a.test", Family::kV4, outcome); }
  bool Aaaa(Resolution resolution) { return resolver.Say("a.test", Family::kV6, std::move(resolution)); }
  bool Aaaa(LookupOutcome outcome) { return resolver.Say("a.test", Family::kV6, outcome); }
  // How long from here to the next question, in steps of `step`.
  base::Duration Pause(base::Duration step = milliseconds(10)) {
    const base::MonotonicTime from = loop.Now();
    for (int asked = resolver.asked; resolver.asked == asked && loop.Now() - from < hours(1);)
      loop.Turn(step);
    return loop.Now() - from;
  }

  test::ManualLoop loop;
  test::FakeResolver resolver;
  base::Random random{1};
  std::string lookups, now = "pending";
  int told = 0;
  std::unique_ptr<NameWatch> watch = std::make_unique<NameWatch>(loop, resolver, random, "a.test", *this);
};

TEST(NameWatch, BothFamiliesAreAskedForAtOnce) {
  World world;
  EXPECT_EQ(world.resolver.Waiting(), "A a.test, AAAA a.test");
  EXPECT_EQ(world.told, 0);
  EXPECT_TRUE(world.A(Answer({"10.0.0.2", "10.0.0.1"}, seconds(60))));
  EXPECT_EQ(world.now, "10.0.0.1, 10.0.0.2") << "the other family is not waited for";
  EXPECT_TRUE(world.Aaaa(Answer({"fd00::1", "10.0.0.1"}, seconds(60))));
  EXPECT_EQ(world.now, "10.0.0.1, 10.0.0.2, fd00::1") << "each once";
  EXPECT_EQ(world.lookups, "A answered; AAAA answered; ");
  EXPECT_EQ(world.resolver.Waiting(), "");
}

TEST(NameWatch, TheTimeToLiveBinds) {
  const struct {
    const char* name;
    base::Duration ttl, expected;
  } kRows[] = {
      {"as it says", seconds(30), seconds(30)}, {"none", seconds(0), seconds(1)},
      {"the least", seconds(1), seconds(1)},    {"the most", minutes(5), minutes(5)},
      {"a week", hours(168), minutes(5)},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.A(Answer({"10.0.0.1"}, row.ttl));
    world.loop.Turn(row.expected - milliseconds(10));
    EXPECT_EQ(world.resolver.Waiting(), "AAAA a.test");
    world.loop.Turn(milliseconds(20));
    EXPECT_EQ(world.resolver.Waiting(), "AAAA a.test, A a.test");
  }
}

TEST(NameWatch, TheSameInAnotherOrderIsNothingNew) {
  World world;
  world.Aaaa(LookupOutcome::kNoAddress);
  world.A(Answer({"10.0.0.2", "10.0.0.1"}, seconds(2)));
  EXPECT_EQ(world.told, 1);
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.A(Answer({"10.0.0.1", "10.0.0.2"}, seconds(2))));
  EXPECT_EQ(world.told, 1);
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.A(Answer({"10.0.0.3", "10.0.0.2"}, seconds(2))));
  EXPECT_EQ(world.now, "10.0.0.2, 10.0.0.3");
  EXPECT_EQ(world.told, 2);
}

TEST(NameWatch, WhatIsKnownStays) {
  const LookupOutcome kFailures[] = {LookupOutcome::kNoSuchName, LookupOutcome::kServerFailure, LookupOutcome::kTimeout,
                                     LookupOutcome::kMalformed};
  for (const LookupOutcome failure : kFailures) {
    SCOPED_TRACE(OutcomeName(failure));
    World world;
    world.A(Answer({"10.0.0.1"}, seconds(2)));
    world.Aaaa(Answer({"fd00::1"}, seconds(2)));
    world.loop.Turn(seconds(3));
    EXPECT_TRUE(world.A(failure));
    EXPECT_TRUE(world.Aaaa(failure));
    EXPECT_EQ(world.now, "10.0.0.1, fd00::1");
    EXPECT_EQ(world.told, 2) << "nothing new";
    world.loop.Turn(seconds(2));
    EXPECT_TRUE(world.A(Answer({"10.0.0.9"}, seconds(2)))) << "it is tried again";
    EXPECT_EQ(world.now, "10.0.0.9, fd00::1");
  }
}

// An answer, and it says that there is nothing: in one family that is so, in both it is a mistake of somebody's.
TEST(NameWatch, NoAddress) {
  World world;
  world.A(Answer({"10.0.0.1"}, seconds(2)));
  world.Aaaa(Answer({"fd00::1"}, minutes(4)));
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.A(LookupOutcome::kNoAddress));
  EXPECT_EQ(world.now, "fd00::1") << "its family is gone";
  EXPECT_EQ(world.Pause(), seconds(30));
  EXPECT_TRUE(world.A(LookupOutcome::kNoAddress));
  world.loop.Turn(minutes(4));
  EXPECT_TRUE(world.Aaaa(LookupOutcome::kNoAddress));
  EXPECT_EQ(world.now, "fd00::1") << "the last ones stay";
  world.loop.Turn(seconds(31));
  EXPECT_TRUE(world.A(Answer({"10.0.0.2"}, seconds(2))));
  EXPECT_EQ(world.now, "10.0.0.2") << "until there is something better";
}

TEST(NameWatch, NothingKnownIsToldOnceBothHaveBeenAsked) {
  const struct {
    const char* name;
    LookupOutcome v4, v6;
  } kRows[] = {
      {"no such name", LookupOutcome::kNoSuchName, LookupOutcome::kNoSuchName},
      {"no address", LookupOutcome::kNoAddress, LookupOutcome::kNoAddress},
      {"one of each", LookupOutcome::kTimeout, LookupOutcome::kNoAddress},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.Aaaa(row.v6);
    EXPECT_EQ(world.now, "pending");
    world.A(row.v4);
    EXPECT_EQ(world.now, "none");
    world.loop.Turn(seconds(31));
    world.A(row.v4);
    EXPECT_EQ(world.told, 1) << "once";
    world.loop.Turn(seconds(31));
    world.A(Answer({"10.0.0.1"}, seconds(2)));
    EXPECT_EQ(world.now, "10.0.0.1");
  }
}

TEST(NameWatch, FailuresAreFurtherAndFurtherApart) {
  World world;
  world.Aaaa(Answer({"fd00::1"}, hours(1)));
  base::Duration longest = seconds(1);
  bool drawn = false;
  for (int failure = 0; failure < 12; ++failure) {
    ASSERT_TRUE(world.A(LookupOutcome::kTimeout));
    world.loop.Turn(longest / 2 - milliseconds(10));
    ASSERT_EQ(world.resolver.Waiting().find("A a.test"), std::string::npos) << "not before half of it: " << failure;
    const base::Duration pause = world.Pause() + longest / 2 - milliseconds(10);
    EXPECT_LE(pause, longest + milliseconds(20)) << failure;
    drawn = drawn || pause < longest - longest / 20;
    longest = std::min<base::Duration>(longest * 2, seconds(30));
    if (world.resolver.Waiting() == "AAAA a.test") world.Pause();
  }
  EXPECT_TRUE(drawn) << "at random";
  ASSERT_TRUE(world.A(Answer({"10.0.0.1"}, seconds(2))));
  world.loop.Turn(seconds(3));
  ASSERT_TRUE(world.A(LookupOutcome::kTimeout));
  EXPECT_LE(world.Pause(), milliseconds(1020)) << "an answer makes it forget";
}

TEST(NameWatch, AtMostSoManyAddresses) {
  World world;
  std::vector<std::string> many;
  for (int i = 0; i < 1001; ++i)
    many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250 + 1));
  std::reverse(many.begin(), many.end());
  world.Aaaa(LookupOutcome::kNoAddress);
  world.A(Answer(many, seconds(2)));
  ASSERT_EQ(world.watch->addresses().size(), 1000u);
  EXPECT_EQ(world.watch->addresses().front().ip(), "10.0.0.1");
  EXPECT_EQ(world.watch->addresses().back().ip(), "10.0.3.250");
}

TEST(NameWatch, ItMayGoAtAnyTime) {
  World world;
  world.A(Answer({"10.0.0.1"}, seconds(2)));
  world.watch.reset();
  EXPECT_EQ(world.resolver.Waiting(), "");
  EXPECT_EQ(world.loop.timers().size(), 0u);
  world.loop.Turn(minutes(10));
  EXPECT_EQ(world.resolver.asked, 2);
}

}  // namespace
}  // namespace portico::net
