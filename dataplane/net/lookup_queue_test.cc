#include "dataplane/net/lookup_queue.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "test/support/fake_resolver.h"
#include "test/support/scripted_network.h"

namespace portico::net {
namespace {

// Two lookups at a time.
struct World {
  struct Asker : Resolver::Handler {
    void OnResolved(Resolution resolution) override {
      told += resolution.outcome == LookupOutcome::kAnswered ? resolution.addresses.at(0).ip() + ";"
                                                             : std::string(OutcomeName(resolution.outcome)) + ";";
      if (then) std::exchange(then, nullptr)();
    }
    std::string told;
    std::function<void()> then;
    std::unique_ptr<Resolver::Lookup> lookup;
  };

  void Ask(const std::string& names) {
    for (const char name : names)
      askers[name].lookup = queue.Resolve(std::string(1, name), Family::kV4, askers[name]);
  }
  void Leave(const std::string& names) {
    for (const char name : names)
      askers[name].lookup.reset();
  }
  void Answer(const std::string& name) {
    EXPECT_TRUE(resolver.Say(name, Family::kV4, test::Answer({"10.0.0.1"}, std::chrono::seconds(1)))) << name;
  }
  // "A a, A b": once the turn is over.
  std::string UnderWay() {
    loop.Turn();
    return resolver.Waiting();
  }

  test::ManualLoop loop;
  test::FakeResolver resolver;
  LookupQueue queue{loop, resolver, {.lookups_max = 2}};
  std::map<char, Asker> askers;
};

TEST(LookupQueue, SoManyAtATimeInTheirOrder) {
  World world;
  world.Ask("abcd");
  EXPECT_EQ(world.UnderWay(), "A a, A b");
  world.Answer("b");
  EXPECT_EQ(world.askers['b'].told, "10.0.0.1;");
  world.Ask("e");  // there is room in this turn, but others were first
  EXPECT_EQ(world.UnderWay(), "A a, A c");
  EXPECT_TRUE(world.resolver.Say("a", Family::kV4, LookupOutcome::kTimeout));
  EXPECT_EQ(world.askers['a'].told, "timeout;");
  EXPECT_EQ(world.UnderWay(), "A c, A d");
  world.Answer("c");
  world.Answer("d");
  EXPECT_EQ(world.UnderWay(), "A e");
  world.Ask("f");
  EXPECT_EQ(world.resolver.Waiting(), "A e, A f") << "at once";
  world.Answer("e");
  world.Answer("f");
  EXPECT_EQ(world.UnderWay(), "");
  for (const auto& [name, asker] : world.askers)
    EXPECT_EQ(asker.told, name == 'a' ? "timeout;" : "10.0.0.1;") << name;
}

TEST(LookupQueue, WhoLeavesIsNotAskedFor) {
  const struct {
    const char *name, *leave, *under_way;
    int asked;
  } kRows[] = {
      {"nobody", "", "A a, A b", 2},
      {"who waits", "c", "A a, A b", 2},
      {"who is under way", "a", "A b, A c", 3},
      {"both", "ca", "A b, A d", 3},
      {"both, the other way around", "ac", "A b, A d", 3},
      {"all", "abcde", "", 2},
      {"all but the last", "abcd", "A e", 3},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.Ask("abcde");
    world.Leave(row.leave);
    EXPECT_EQ(world.UnderWay(), row.under_way);
    EXPECT_EQ(world.resolver.asked, row.asked);
  }
}

TEST(LookupQueue, AnAskerMayLeaveOrAskAgainInItsCallback) {
  World world;
  world.askers['a'].then = [&] { world.Ask("a"); };
  world.askers['b'].then = [&] { world.Leave("bc"); };
  world.Ask("abcd");
  world.Answer("a");
  EXPECT_EQ(world.UnderWay(), "A b, A c") << "again, behind those that wait";
  world.Answer("b");
  EXPECT_EQ(world.UnderWay(), "A d, A a");
  world.Answer("d");
  world.Answer("a");
  EXPECT_EQ(world.askers['a'].told, "10.0.0.1;10.0.0.1;");
  EXPECT_EQ(world.askers['c'].told, "");
  EXPECT_EQ(world.UnderWay(), "");
}

}  // namespace
}  // namespace portico::net
