#include "dataplane/worker/cluster_names.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "api/base/text.h"
#include "dataplane/base/file_descriptor.h"
#include "dataplane/observe/families.h"
#include "test/support/fake_resolver.h"
#include "test/support/scripted_network.h"

namespace portico::worker {
namespace {

using net::Family;
using net::LookupOutcome;
using std::chrono::minutes;
using std::chrono::seconds;
using test::Answer;

struct World {
  World() {
    int pipe[2];
    EXPECT_EQ(::pipe(pipe), 0);
    read_end = base::FileDescriptor(pipe[0]);
    write_end = base::FileDescriptor(pipe[1]);
    log = std::make_unique<observe::ProcessLog>(write_end.get(), [] { return base::WallTime(); });
    names = std::make_unique<ClusterNames>(
        loop, resolver, 1, metrics, *log,
        [this](const std::string& cluster, const std::shared_ptr<const upstream::ResolvedName>& resolved) {
          told += base::Concat(cluster, " ", resolved->hostname, ":");
          for (const net::Address& address : resolved->addresses)
            told += " " + address.ip();
          told += "; ";
        });
  }
  static std::shared_ptr<const upstream::ClusterConfig> Cluster(std::string name, std::string hostname) {
    auto config = std::make_shared<upstream::ClusterConfig>();
    config->name = std::move(name);
    if (!hostname.empty()) config->named = upstream::NamedOrigin{std::move(hostname), 80};
    return config;
  }
  // Pairs of a cluster and its name; "": it has endpoints of its own.
  void Swap(const std::vector<std::pair<std::string, std::string>>& next) {
    snapshot::Clusters clusters;
    for (const auto& [name, hostname] : next)
      clusters.Put(name, Cluster(name, hostname));
    names->Swap(clusters);
  }
  std::string Told() { return std::exchange(told, {}); }
  // What has been written since, without the times: "warning cluster a: …|info …|".
  std::string Logged() {
    std::string text;
    log->Write(observe::Severity::kError, "end");
    char bytes[4096];
    while (text.find("error end\n") == std::string::npos) {
      const ssize_t count = ::read(read_end.get(), bytes, sizeof bytes);
      if (count <= 0) return text + "(no more)";
      text.append(bytes, static_cast<size_t>(count));
    }
    std::string out;
    for (const std::string_view line : base::Split(text, '\n')) {
      const size_t space = line.find(' ');
      if (space != std::string_view::npos && !line.ends_with("error end"))
        out += base::Concat(line.substr(space + 1), "|");
    }
    return out;
  }
  // "a answered 2; a timeout 1; "
  std::string Counted() const {
    std::string text;
    const observe::MetricsSnapshot numbers = metrics.Read();
    const auto family = numbers.find(observe::kDnsLookups.name);
    if (family == numbers.end()) return text;
    for (const auto& [labels, value] : family->second.series)
      text += base::Concat(labels.at(0), " ", labels.at(1), " ", std::get<uint64_t>(value), "; ");
    return text;
  }

  base::FileDescriptor read_end, write_end;
  test::ManualLoop loop;
  test::FakeResolver resolver;
  observe::Metrics metrics;
  std::unique_ptr<observe::ProcessLog> log;
  std::string told;
  std::unique_ptr<ClusterNames> names;
};

TEST(ClusterNames, EveryNameIsToldCountedAndLogged) {
  World world;
  world.Swap({{"default/a", "a.test"}, {"default/fixed", ""}});
  EXPECT_EQ(world.resolver.Waiting(), "A a.test, AAAA a.test");
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.2", "10.0.0.1"}, seconds(2))));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV6, LookupOutcome::kNoAddress));
  EXPECT_EQ(world.Told(), "default/a a.test: 10.0.0.1 10.0.0.2; ");
  EXPECT_EQ(world.Logged(), "info cluster default/a: a.test is 10.0.0.1, 10.0.0.2|");
  EXPECT_EQ(world.Counted(), "default/a answered 1; default/a no_address 1; ");
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.1", "10.0.0.2"}, seconds(2))));
  EXPECT_EQ(world.Told() + world.Logged(), "") << "nothing new";
  EXPECT_EQ(world.Counted(), "default/a answered 2; default/a no_address 1; ");
}

TEST(ClusterNames, AFailureIsNewsOnce) {
  World world;
  world.Swap({{"default/a", "a.test"}});
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV6, LookupOutcome::kNoAddress));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, LookupOutcome::kNoSuchName));
  EXPECT_EQ(world.Told(), "default/a a.test:; ");
  EXPECT_EQ(world.Logged(),
            "warning cluster default/a: a lookup of A of a.test failed: no_such_name; no address is known|"
            "warning cluster default/a: a.test has no address: requests are answered 503|");
  world.loop.Turn(seconds(2));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, LookupOutcome::kTimeout));
  EXPECT_EQ(world.Told() + world.Logged(), "");
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.1"}, seconds(2))));
  EXPECT_EQ(world.Logged(),
            "info cluster default/a: lookups of A of a.test are answered again|"
            "info cluster default/a: a.test is 10.0.0.1|");
  world.loop.Turn(seconds(3));
  EXPECT_TRUE(world.resolver.Say("a.test", Family::kV4, LookupOutcome::kServerFailure));
  EXPECT_EQ(world.Logged(),
            "warning cluster default/a: a lookup of A of a.test failed: server_failure; what is known stays "
            "(addresses: 1)|");
  EXPECT_EQ(world.Told(), "default/a a.test: 10.0.0.1; ");
}

TEST(ClusterNames, ManyAddressesAreOneLine) {
  World world;
  world.Swap({{"default/a", "a.test"}});
  std::vector<std::string> many;
  for (int i = 1; i <= 10; ++i)
    many.push_back("10.0.0." + std::to_string(i));
  world.resolver.Say("a.test", Family::kV4, Answer(many, seconds(2)));
  EXPECT_EQ(world.Logged(),
            "info cluster default/a: a.test is 10.0.0.1, 10.0.0.2, 10.0.0.3, 10.0.0.4, 10.0.0.5, 10.0.0.6, 10.0.0.7, "
            "10.0.0.8 and 2 more|");
}

TEST(ClusterNames, TheyOutliveConfigurations) {
  World world;
  world.Swap({{"default/a", "a.test"}});
  world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.1"}, minutes(4)));
  world.resolver.Say("a.test", Family::kV6, LookupOutcome::kNoAddress);
  world.Told();
  world.Swap({{"default/a", "a.test"}, {"default/b", "a.test"}});
  EXPECT_EQ(world.resolver.asked, 4) << "only the new one asks";
  world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.1"}, minutes(4)));
  EXPECT_EQ(world.Told(), "default/b a.test: 10.0.0.1; ");
}

TEST(ClusterNames, WhatIsDroppedIsForgotten) {
  const struct {
    const char* name;
    std::vector<std::pair<std::string, std::string>> next;
    const char *waiting, *counted;
  } kRows[] = {
      {"the cluster", {}, "", ""},
      {"its name", {{"default/a", ""}}, "", ""},
      {"another name instead", {{"default/a", "b.test"}}, "A b.test, AAAA b.test", "default/a answered 1; "},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.Swap({{"default/a", "a.test"}});
    world.resolver.Say("a.test", Family::kV4, Answer({"10.0.0.1"}, seconds(2)));
    world.Told();
    world.Swap(row.next);  // a lookup is under way, and a pause
    EXPECT_EQ(world.resolver.Waiting(), row.waiting);
    EXPECT_EQ(world.Counted(), row.counted);
    world.loop.Turn(minutes(1));
    EXPECT_EQ(world.resolver.Waiting(), row.waiting);
    EXPECT_EQ(world.Told(), "");
  }
}

TEST(ClusterNames, ManyNamesAreAskedForInTurn) {
  World world;
  std::vector<std::pair<std::string, std::string>> many;
  for (int i = 0; i < 40; ++i)
    many.emplace_back(base::Concat("default/c", i), base::Concat("n", i, ".test"));
  world.Swap(many);
  world.loop.Turn();
  EXPECT_EQ(world.resolver.asked, 64) << "of 80";
  for (int i = 0; i < 40; ++i) {
    for (const Family family : {Family::kV4, Family::kV6}) {
      EXPECT_TRUE(world.resolver.Say(base::Concat("n", i, ".test"), family, Answer({"10.0.0.1"}, minutes(4)))) << i;
      world.loop.Turn();
    }
  }
  EXPECT_EQ(world.resolver.asked, 80);
  const std::string told = world.Told();
  EXPECT_EQ(std::ranges::count(told, ';'), 40);
}

TEST(ClusterNames, WithoutNamesThereIsNothingToDo) {
  World world;
  world.Swap({{"default/a", ""}, {"default/b", ""}});
  EXPECT_EQ(world.resolver.asked, 0);
  EXPECT_EQ(world.loop.timers().size(), 0u);
  EXPECT_EQ(world.Counted(), "");
}

}  // namespace
}  // namespace portico::worker
