#include "dataplane/net/ares_resolver.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dataplane/event/libevent_loop.h"
#include "dataplane/event/timer.h"
#include "dataplane/net/dns_server_for_test.h"

namespace portico::net {
namespace {

using for_test::DnsServer;
using for_test::Host;
using for_test::kA;
using for_test::kAaaa;
using for_test::kCname;
using for_test::Labels;
using for_test::Query;
using for_test::Record;
using for_test::Reply;
using std::chrono::milliseconds;
using std::chrono::seconds;

struct Heard : Resolver::Handler {
  void OnResolved(Resolution resolution) override {
    ++count;
    result = std::move(resolution);
    if (destroy != nullptr) destroy->reset();
  }
  // "answered 60: 10.0.0.1, 10.0.0.2"
  std::string Text() const {
    if (!result) return "nothing";
    std::string text(OutcomeName(result->outcome));
    if (result->outcome == LookupOutcome::kAnswered) {
      text += " " + std::to_string(std::chrono::duration_cast<seconds>(result->ttl).count()) + ":";
    }
    for (const Address& address : result->addresses)
      text += (text.back() == ':' ? " " : ", ") + address.ip();
    return text;
  }
  int count = 0;
  std::optional<Resolution> result;
  std::unique_ptr<Resolver::Lookup>* destroy = nullptr;
};

// Nothing of these tests leaves loopback; the name is in no hosts file.
struct World {
  static constexpr AresLimits kQuick{.answer_timeout = milliseconds(100), .tries = 2, .lookup_timeout = seconds(10)};

  void Turn() {
    struct Ticker : event::Timer::Handler {
      void OnTimer(event::Timer&) override {}
    } ticker;
    event::Timer timer(loop.timers(), ticker);
    timer.Set(loop.Now() + milliseconds(1));
    for (DnsServer* server : servers)
      server->Serve();
    loop.Turn(true);
  }
  bool Until(const std::function<bool()>& predicate, base::Duration within = seconds(20)) {
    loop.Turn(false);
    const base::MonotonicTime end = loop.Now() + within;
    while (!predicate() && loop.Now() < end)
      Turn();
    return predicate();
  }
  std::string Ask(Resolver& resolver, Family family = Family::kV4, std::string_view name = "orders.portico.test") {
    Heard heard;
    std::unique_ptr<Resolver::Lookup> lookup = resolver.Resolve(name, family, heard);
    EXPECT_EQ(heard.count, 0) << "before Resolve returned";
    EXPECT_TRUE(Until([&] { return heard.count > 0; }));
    for (int i = 0; i < 5; ++i)
      Turn();
    EXPECT_EQ(heard.count, 1);
    return heard.Text();
  }

  event::LibeventLoop loop;
  DnsServer server;
  std::vector<DnsServer*> servers = {&server};
};

std::string Ask(Family family, std::function<std::optional<std::string>(const Query&)> script) {
  World world;
  world.server.script = std::move(script);
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  return world.Ask(resolver, family);
}

TEST(AresResolver, Answers) {
  const struct {
    const char* name;
    Family family;
    std::function<std::optional<std::string>(const Query&)> script;
    const char* expected;
  } kRows[] = {
      {"one address", Family::kV4, [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60)}); },
       "answered 60: 10.0.0.1"},
      {"several, the shortest time of all", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Host("10.0.0.2", 60), Host("10.0.0.1", 7), Host("10.0.0.3", 90)}); },
       "answered 7: 10.0.0.2, 10.0.0.1, 10.0.0.3"},
      {"IPv6", Family::kV6, [](const Query& q) { return Reply(q, 0, {Host("fd00::1", 5), Host("fd00::2", 5)}); },
       "answered 5: fd00::1, fd00::2"},
      {"by another name, which holds for less", Family::kV4,
       [](const Query& q) {
         return Reply(q, 0, {Record(kCname, 3, Labels("b.test")), Host("10.0.0.1", 60, "b.test")});
       },
       "answered 3: 10.0.0.1"},
      {"no time at all", Family::kV4, [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 0)}); },
       "answered 0: 10.0.0.1"},
      {"a time with its highest bit", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 0x80000001)}); }, "answered 0: 10.0.0.1"},
      {"no such record", Family::kV4, [](const Query& q) { return Reply(q, 0); }, "no_address"},
      {"another name, and nothing of it", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Record(kCname, 3, Labels("b.test"))}); }, "no_address"},
      {"records of the other family", Family::kV6, [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60)}); },
       "no_address"},
      {"nowhere", Family::kV4, [](const Query& q) { return Reply(q, 0, {Host("0.0.0.0", 60)}); }, "no_address"},
      {"nowhere among others", Family::kV6,
       [](const Query& q) { return Reply(q, 0, {Host("::", 1), Host("fd00::1", 60)}); }, "answered 60: fd00::1"},
      {"link-local", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Host("169.254.169.254", 60), Host("169.253.0.1", 60)}); },
       "answered 60: 169.253.0.1"},
      {"multicast", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Host("224.0.0.1", 60), Host("239.255.255.255", 60)}); }, "no_address"},
      {"beside multicast", Family::kV4, [](const Query& q) { return Reply(q, 0, {Host("223.0.0.1", 60)}); },
       "answered 60: 223.0.0.1"},
      {"IPv6, link-local and multicast", Family::kV6,
       [](const Query& q) {
         return Reply(q, 0, {Host("fe80::1", 60), Host("febf::1", 60), Host("ff02::1", 60), Host("fec0::1", 60)});
       },
       "answered 60: fec0::1"},
      {"link-local, as an IPv6 address", Family::kV6,
       [](const Query& q) {
         return Reply(q, 0, {Record(kAaaa, 60, std::string(10, '\0') + "\xff\xff\xa9\xfe\xa9\xfe")});
       },
       "no_address"},
      {"loopback and private", Family::kV4,
       [](const Query& q) { return Reply(q, 0, {Host("127.0.0.1", 60), Host("192.168.0.1", 60)}); },
       "answered 60: 127.0.0.1, 192.168.0.1"},
      {"NXDOMAIN", Family::kV4, [](const Query& q) { return Reply(q, 3); }, "no_such_name"},
      {"SERVFAIL", Family::kV4, [](const Query& q) { return Reply(q, 2); }, "server_failure"},
      {"REFUSED", Family::kV4, [](const Query& q) { return Reply(q, 5); }, "server_failure"},
      {"FORMERR", Family::kV4, [](const Query& q) { return Reply(q, 1); }, "server_failure"},
      {"an address of three bytes", Family::kV4, [](const Query& q) { return Reply(q, 0, {Record(kA, 60, "abc")}); },
       "no_address"},
      {"fewer records than it says", Family::kV4,
       [](const Query& q) {
         std::string reply = Reply(q, 0, {Host("10.0.0.1", 60)});
         reply[7] = 9;
         return reply;
       },
       "malformed"},
      {"a name that points to itself", Family::kV4,
       [](const Query& q) {
         std::string reply = Reply(q, 0, {Host("10.0.0.1", 60)});
         const size_t record = reply.find("\xc0\x0c", 12);
         reply[record + 1] = static_cast<char>(record);
         return reply;
       },
       "malformed"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Ask(row.family, row.script), row.expected);
  }
}

// What is no answer to the question is not heard at all: somebody else may have sent it.
TEST(AresResolver, WhatIsNoAnswerIsNotHeard) {
  const struct {
    const char* name;
    std::function<std::string(std::string)> spoil;
  } kRows[] = {
      {"garbage", [](const std::string&) { return std::string("\xff\xfe\0garbage", 10); }},
      {"nothing", [](const std::string&) { return std::string(); }},
      {"a head alone", [](const std::string& reply) { return reply.substr(0, 12); }},
      {"another id", [](std::string reply) { return static_cast<char>(reply[0] ^ 1) + reply.substr(1); }},
      {"another question",
       [](std::string reply) {
         reply[13] = 'x';
         return reply;
       }},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.server.script = [&](const Query& q) { return row.spoil(Reply(q, 0, {Host("10.0.0.66", 60)})); };
    AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
    const std::string said = world.Ask(resolver);
    EXPECT_TRUE(said == "timeout" || said == "malformed" || said == "server_failure") << said;
  }
}

// Every length at which a good answer can be cut off: some outcome, and no address that was not there.
TEST(AresResolver, CutOffAnywhere) {
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60), Host("10.0.0.2", 60)}); };
  size_t whole = 0;
  {
    AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
    EXPECT_EQ(world.Ask(resolver), "answered 60: 10.0.0.1, 10.0.0.2");
    whole = Reply(world.server.heard.at(0), 0, {Host("10.0.0.1", 60), Host("10.0.0.2", 60)}).size();
  }
  std::vector<std::unique_ptr<Heard>> heard;
  std::vector<std::unique_ptr<Resolver::Lookup>> lookups;
  AresResolver resolver(world.loop, {world.server.address()}, {milliseconds(50), 1, seconds(10)});
  for (size_t length = 0; length < whole; ++length) {
    world.server.script = [length](const Query& q) {
      return Reply(q, 0, {Host("10.0.0.1", 60), Host("10.0.0.2", 60)}).substr(0, length);
    };
    heard.push_back(std::make_unique<Heard>());
    lookups.push_back(resolver.Resolve("orders.portico.test", Family::kV4, *heard.back()));
    ASSERT_TRUE(world.Until([&] { return heard.back()->count == 1; })) << length;
    EXPECT_TRUE(heard.back()->result->addresses.empty()) << length << ": " << heard.back()->Text();
  }
}

TEST(AresResolver, ATruncatedAnswerIsAskedForByTcp) {
  std::vector<std::string> hosts;
  std::string expected = "answered 9:";
  for (int i = 1; i <= 250; ++i) {
    const std::string ip = "10.0.1." + std::to_string(i);
    hosts.push_back(Host(ip, 9));
    expected += (i == 1 ? " " : ", ") + ip;
  }
  EXPECT_EQ(Ask(Family::kV4,
                [&](const Query& q) {
                  return q.tcp ? Reply(q, 0, hosts) : Reply(q, 0, {Host("10.0.0.66", 60)}, /*truncated=*/true);
                }),
            expected);
}

TEST(AresResolver, TcpThatSaysNothingIsATimeout) {
  EXPECT_EQ(Ask(Family::kV4,
                [](const Query& q) -> std::optional<std::string> {
                  if (q.tcp) return std::nullopt;
                  return Reply(q, 0, {}, /*truncated=*/true);
                }),
            "timeout");
}

TEST(AresResolver, TheNameIsAskedForAsItIs) {
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 3); };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  EXPECT_EQ(world.Ask(resolver, Family::kV4, "orders"), "no_such_name");
  ASSERT_EQ(world.server.heard.size(), 1u) << "no search domain";
  EXPECT_EQ(world.server.heard[0].name, "orders");
  EXPECT_EQ(world.server.heard[0].type, kA);
  EXPECT_EQ(world.Ask(resolver, Family::kV6, "orders.portico.test."), "no_such_name");
  ASSERT_EQ(world.server.heard.size(), 2u);
  EXPECT_EQ(world.server.heard[1].name, "orders.portico.test");
  EXPECT_EQ(world.server.heard[1].type, kAaaa);
}

TEST(AresResolver, LocalhostIsHere) {
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 0, {Host("10.0.0.66", 60)}); };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  for (const std::string_view name : {"localhost", "localhost.", "a.localhost"}) {
    EXPECT_EQ(world.Ask(resolver, Family::kV4, name), "answered 86400: 127.0.0.1");
    EXPECT_EQ(world.Ask(resolver, Family::kV6, name), "answered 86400: ::1");
  }
  EXPECT_TRUE(world.server.heard.empty());
  EXPECT_EQ(world.Ask(resolver, Family::kV4, "notlocalhost"), "answered 60: 10.0.0.66");
}

// Of this machine: a name to which it gives an IPv4 address there and no other, if it does.
TEST(AresResolver, TheHostsFileComesFirst) {
  std::ifstream file("/etc/hosts");
  std::map<std::string, std::vector<std::string>> addresses;
  for (std::string line, ip, name; std::getline(file, line);) {
    std::istringstream words(line.substr(0, line.find('#')));
    for (words >> ip; words >> name;)
      addresses[name].push_back(ip);
  }
  std::erase_if(addresses, [](const auto& one) {
    return one.first.find("localhost") != std::string::npos || !std::ranges::all_of(one.second, [](const auto& ip) {
             const auto address = Address::Parse(ip, 0);
             return address.ok() && !address->is_v6() && ip != "0.0.0.0";
           });
  });
  if (addresses.empty()) GTEST_SKIP() << "it names no IPv4 address but localhost";
  const auto& [name, ips] = *addresses.begin();
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 3); };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  const std::string said = world.Ask(resolver, Family::kV4, name);
  EXPECT_TRUE(said.starts_with("answered 30: ")) << said;
  EXPECT_NE(said.find(ips.front()), std::string::npos) << said;
  EXPECT_EQ(world.Ask(resolver, Family::kV6, name), "no_address") << "nobody else is asked for it";
  EXPECT_TRUE(world.server.heard.empty());
}

TEST(AresResolver, ALostDatagramIsAskedForAgain) {
  World world;
  int asked = 0;
  world.server.script = [&](const Query& q) -> std::optional<std::string> {
    if (++asked == 1) return std::nullopt;
    return Reply(q, 0, {Host("10.0.0.1", 60)});
  };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  EXPECT_EQ(world.Ask(resolver), "answered 60: 10.0.0.1");
  EXPECT_EQ(asked, 2);
}

TEST(AresResolver, SilenceEnds) {
  const struct {
    const char* name;
    AresLimits limits;
    size_t asked;
  } kRows[] = {
      {"when every try is over", {milliseconds(20), 3, seconds(10)}, 3},
      {"when the lookup's time is", {seconds(60), 3, milliseconds(50)}, 1},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    world.server.script = [](const Query&) { return std::nullopt; };
    AresResolver resolver(world.loop, {world.server.address()}, row.limits);
    EXPECT_EQ(world.Ask(resolver), "timeout");
    EXPECT_EQ(world.server.heard.size(), row.asked);
  }
}

TEST(AresResolver, AnotherServerIsAsked) {
  const struct {
    const char* name;
    std::function<void(DnsServer&)> spoil;
  } kRows[] = {
      {"the first fails", [](DnsServer& server) { server.script = [](const Query& q) { return Reply(q, 2); }; }},
      {"the first is silent", [](DnsServer& server) { server.script = [](const Query&) { return std::nullopt; }; }},
      {"the first is gone", [](DnsServer& server) { server.Close(); }},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    World world;
    DnsServer second;
    world.servers.push_back(&second);
    second.script = [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60)}); };
    row.spoil(world.server);
    AresResolver resolver(world.loop, {world.server.address(), second.address()}, World::kQuick);
    EXPECT_EQ(world.Ask(resolver), "answered 60: 10.0.0.1");
  }
}

TEST(AresResolver, NobodyThere) {
  World world;
  world.server.Close();
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  EXPECT_EQ(world.Ask(resolver), "server_failure");
}

TEST(AresResolver, ALookupMayGoAtAnyTime) {
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60)}, !q.tcp); };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  Heard never;
  {
    const auto at_once = resolver.Resolve("orders.portico.test", Family::kV4, never);
  }
  for (size_t turns = 1; turns < 12; ++turns) {
    const size_t before = world.server.heard.size();
    auto lookup = resolver.Resolve("orders.portico.test", Family::kV4, never);
    for (size_t i = 0; i < turns && never.count == 0; ++i)
      world.Turn();
    if (never.count > 0) {
      EXPECT_EQ(world.server.heard.size(), before + 2) << "it went as far as an answer by TCP";
      break;
    }
    lookup.reset();
    for (int i = 0; i < 3; ++i)
      world.Turn();
    EXPECT_EQ(never.count, 0) << turns;
  }
  EXPECT_EQ(never.count, 1);
  EXPECT_EQ(world.loop.timers().size(), 0u);
}

TEST(AresResolver, ALookupMayGoInItsOwnCallback) {
  World world;
  world.server.script = [](const Query& q) { return Reply(q, 0, {Host("10.0.0.1", 60)}); };
  AresResolver resolver(world.loop, {world.server.address()}, World::kQuick);
  Heard heard;
  auto lookup = resolver.Resolve("orders.portico.test", Family::kV4, heard);
  heard.destroy = &lookup;
  EXPECT_TRUE(world.Until([&] { return heard.count > 0; }));
  EXPECT_EQ(lookup, nullptr);
  EXPECT_EQ(heard.Text(), "answered 60: 10.0.0.1");
}

}  // namespace
}  // namespace portico::net
