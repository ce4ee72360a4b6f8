#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/http/fields.h"
#include "dataplane/route/match.h"
#include "dataplane/route/route_table.h"
#include "gtest/gtest.h"

namespace portico::route {
namespace {

using base::Concat;

std::shared_ptr<const Rule> MakeRule(std::string route, uint64_t age = 0) {
  auto rule = std::make_shared<Rule>();
  rule->route = std::move(route);
  rule->route_age = age;
  return rule;
}

RuleMatch MakeMatch(std::string hostname, PathKind kind, std::string path, std::shared_ptr<const Rule> rule) {
  RuleMatch match;
  match.hostname = std::move(hostname);
  match.path_kind = kind;
  match.path = std::move(path);
  if (kind == PathKind::kRegex) match.path_regex = std::make_shared<const RE2>(match.path);
  match.rule = std::move(rule);
  return match;
}

// What a listener should have, and the table built of it at once.
using Expected = std::vector<std::vector<SharedMatch>>;

std::vector<ListenerRoutes> Listeners(const Expected& expected) {
  std::vector<ListenerRoutes> listeners = {{"any", "", {}}, {"wild", "*.a.example", {}}};
  for (size_t i = 0; i < expected.size(); ++i)
    for (const SharedMatch& match : expected[i])
      listeners[i].matches.Put(match, match);
  return listeners;
}

class RandomRoutes {
 public:
  explicit RandomRoutes(unsigned seed) : random_(seed) {}

  size_t Below(size_t end) { return random_() % end; }
  template <typename Value>
  const Value& Pick(const std::vector<Value>& from) {
    return from[Below(from.size())];
  }

  SharedMatch Match() {
    RuleMatch match = MakeMatch(Pick(kHostnames), Pick(kKinds), Pick(kPaths),
                                MakeRule(Concat(Pick(kNamespaces), "/route", routes_++), Below(3)));
    if (Below(3) == 0) match.method = "GET";
    if (Below(3) == 0) match.headers.push_back({"x", "y", nullptr});
    if (Below(3) == 0) match.queries.push_back({"q", "z", nullptr});
    return std::make_shared<const RuleMatch>(std::move(match));
  }

  const std::vector<std::string> kNamespaces = {"a", "a-b"};
  const std::vector<PathKind> kKinds = {PathKind::kExact, PathKind::kPrefix, PathKind::kRegex};
  const std::vector<std::string> kPaths = {"", "/a", "/a/b", "/a/b/c", "/ab", "/b", "/b/c"};
  const std::vector<std::string> kHostnames = {
      "", "a.example", "b.a.example", "c.b.a.example", "*.a.example", "*.example", "*.b.a.example"};
  const std::vector<std::string> kHosts = {
      "a.example", "b.a.example", "c.b.a.example", "d.c.b.a.example", "x.example", "example", ""};

 private:
  std::mt19937 random_;
  size_t routes_ = 0;
};

// Every request gets the same from both tables, and that is the first match in order that agrees.
void ExpectSame(const RouteTable& changed, const RouteTable& anew, RandomRoutes& routes) {
  base::Arena arena;
  const http::Fields none(arena);
  http::Fields some(arena);
  some.Add("x", "y");
  for (const std::string& host : routes.kHosts) {
    for (const std::string& path : routes.kPaths) {
      const std::string sent = path.empty() ? "/" : path;
      const RequestView view{routes.Below(2) == 0 ? "GET" : "POST", host, sent, routes.Below(2) == 0 ? "q=z" : "",
                             routes.Below(2) == 0 ? none : some};
      const RuleMatch* match = changed.Match(view);
      EXPECT_EQ(match, anew.Match(view)) << host << sent;
      const RuleMatch* first = nullptr;
      for (const auto& [one, same] : changed.FindListener(host)->matches)
        if (first == nullptr && FirstMiss(*one, view) == Miss::kNone) first = one.get();
      EXPECT_EQ(match, first) << host << sent;
    }
  }
}

TEST(RouteTableChange, IsAsIfBuiltAtOnce) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    RandomRoutes routes(seed);
    Expected expected(2);
    auto table = std::make_unique<const RouteTable>(Listeners(expected));
    for (int step = 0; step < 60; ++step) {
      // It grows to dozens, then shrinks until nothing is left.
      std::vector<RouteTable::Change> changes(2);
      for (size_t i = 0; i < expected.size(); ++i) {
        std::vector<SharedMatch>& there = expected[i];
        std::shuffle(there.begin(), there.end(), std::mt19937(seed));
        const size_t gone = std::min(there.size(), routes.Below(step < 30 ? 3 : 10));
        changes[i].removed.assign(there.end() - static_cast<std::ptrdiff_t>(gone), there.end());
        there.resize(there.size() - gone);
        for (size_t come = routes.Below(step < 30 ? 8 : 2); come > 0; --come) {
          changes[i].added.push_back(routes.Match());
          there.push_back(changes[i].added.back());
        }
      }
      auto next = std::make_unique<const RouteTable>(*table, changes);
      table = std::move(next);  // the one before is gone: nothing of it is leant on
      ExpectSame(*table, RouteTable(Listeners(expected)), routes);
      for (size_t i = 0; i < expected.size(); ++i)
        EXPECT_EQ(table->listeners()[i].matches.size(), expected[i].size());
      if (testing::Test::HasFailure()) return;
    }
  }
}

TEST(RouteTableChange, LeavesTheTableBeforeAsItWas) {
  RandomRoutes routes(7);
  Expected expected(2);
  for (int i = 0; i < 40; ++i)
    expected[0].push_back(routes.Match());
  const RouteTable before(Listeners(expected));
  const RouteTable next(before, {{.removed = {expected[0].begin(), expected[0].begin() + 20}, .added = {}}, {}});
  ExpectSame(before, RouteTable(Listeners(expected)), routes);
  EXPECT_EQ(next.listeners()[0].matches.size(), 20u);
}

// A match takes the place of the same one: a Route whose rule does something else now.
TEST(RouteTableChange, TakesAMatchForItsLikeness) {
  const auto make = [] {
    return std::make_shared<const RuleMatch>(MakeMatch("", PathKind::kPrefix, "/a", MakeRule("default/r")));
  };
  const SharedMatch old = make(), fresh = make();
  const RouteTable before(Listeners({{old}, {}}));
  const RouteTable next(before, {{.removed = {old}, .added = {fresh}}, {}});
  base::Arena arena;
  const http::Fields fields(arena);
  const RequestView view{"GET", "x", "/a", "", fields};
  EXPECT_EQ(before.Match(view), old.get());
  EXPECT_EQ(next.Match(view), fresh.get());
}

// One change among very many touches what stands next to it: counted, not timed.
TEST(RouteTableChange, CostsWhatChanges) {
  const struct {
    const char* name;
    std::function<RuleMatch(int)> match;
  } kRows[] = {
      {"paths of one host",
       [](int i) { return MakeMatch("", PathKind::kPrefix, Concat("/service-", i), MakeRule(Concat("n/", i))); }},
      {"hosts",
       [](int i) { return MakeMatch(Concat("h", i, ".example"), PathKind::kExact, "/", MakeRule(Concat("n/", i))); }},
      {"wildcards",
       [](int i) { return MakeMatch(Concat("*.h", i, ".e"), PathKind::kPrefix, "", MakeRule(Concat("n/", i))); }},
      {"paths of some hosts",
       [](int i) {
         return MakeMatch(Concat("h", i % 100, ".example"), PathKind::kPrefix, Concat("/s", i),
                          MakeRule(Concat("n/", i)));
       }},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    Expected expected(2);
    for (int i = 0; i < 20'000; ++i)
      expected[0].push_back(std::make_shared<const RuleMatch>(row.match(i)));
    const RouteTable before(Listeners(expected));
    const auto more = std::make_shared<const RuleMatch>(row.match(20'001));
    const RouteTable next(before, {{.removed = {expected[0][12'345]}, .added = {more}}, {}});
    // Two shards of hosts and two of paths, with luck the same ones.
    EXPECT_GT(next.EntriesNotSharedWith(before), 0u);
    EXPECT_LT(next.EntriesNotSharedWith(before), 4 * 2 * ShardedMap<int>::kShardEntries);
    EXPECT_EQ(RouteTable(before, {{}, {}}).EntriesNotSharedWith(before), 0u);
  }
}

TEST(ComesBefore, ByEachColumnInItsTurn) {
  // Each comes before the next one, for what is named.
  const auto rule = [](std::string route, uint64_t age, size_t index) {
    auto out = std::make_shared<Rule>();
    out->route = std::move(route);
    out->route_age = age;
    out->index = index;
    return out;
  };
  const auto match = [&](const char* hostname, PathKind kind, const char* path, const char* method, size_t headers,
                         size_t queries, std::shared_ptr<const Rule> of, size_t index) {
    RuleMatch out = MakeMatch(hostname, kind, path, std::move(of));
    out.method = method;
    out.headers.resize(headers);
    out.queries.resize(queries);
    out.index = index;
    return out;
  };
  const auto old = rule("b/z", 1, 9);
  const std::vector<std::pair<const char*, RuleMatch>> rows = {
      {"an exact name", match("a.example", PathKind::kPrefix, "", "", 0, 0, rule("b/z", 9, 9), 9)},
      {"the longer wildcard", match("*.b.example", PathKind::kRegex, "", "", 0, 0, old, 0)},
      {"a wildcard", match("*.example", PathKind::kRegex, "/.*", "", 0, 0, old, 0)},
      {"exact path", match("", PathKind::kExact, "/a", "", 0, 0, rule("b/z", 9, 9), 9)},
      {"longer prefix", match("", PathKind::kPrefix, "/a/b", "", 0, 0, old, 0)},
      {"the path, as a text", match("", PathKind::kPrefix, "/0", "", 0, 0, old, 9)},
      {"method", match("", PathKind::kPrefix, "/a", "GET", 0, 0, rule("b/z", 9, 9), 9)},
      {"two headers", match("", PathKind::kPrefix, "/a", "", 2, 0, rule("b/z", 9, 9), 9)},
      {"a header", match("", PathKind::kPrefix, "/a", "", 1, 0, rule("b/z", 9, 9), 9)},
      {"a query parameter", match("", PathKind::kPrefix, "/a", "", 0, 1, rule("b/z", 9, 9), 9)},
      {"the older Route", match("", PathKind::kPrefix, "/a", "", 0, 0, old, 9)},
      {"the namespace, not the text", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a/z", 2, 9), 9)},
      {"the longer namespace", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a-b/a", 2, 9), 9)},
      {"the name", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a-b/b", 2, 9), 9)},
      {"the rule", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a-b/c", 2, 0), 9)},
      {"the match", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a-b/c", 2, 1), 0)},
      {"the last match", match("", PathKind::kPrefix, "/a", "", 0, 0, rule("a-b/c", 2, 1), 1)},
      {"a regular expression", match("", PathKind::kRegex, "/a.*", "GET", 9, 9, rule("a/a", 0, 0), 0)},
  };
  for (size_t i = 0; i < rows.size(); ++i) {
    SCOPED_TRACE(rows[i].first);
    EXPECT_FALSE(ComesBefore(rows[i].second, rows[i].second));
    for (size_t j = i + 1; j < rows.size(); ++j) {
      EXPECT_TRUE(ComesBefore(rows[i].second, rows[j].second)) << "before " << rows[j].first;
      EXPECT_FALSE(ComesBefore(rows[j].second, rows[i].second)) << rows[j].first;
    }
  }
}

}  // namespace
}  // namespace portico::route
