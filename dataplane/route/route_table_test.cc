#include "dataplane/route/route_table.h"

#include <chrono>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/resolve/resolve.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/route/explain.h"
#include "dataplane/route/route_config.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::route {
namespace {

using testing::HasSubstr;

check::Configuration Configure(std::string_view text) {
  yaml::Problems problems(10);
  check::Configuration configuration;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems)) {
    EXPECT_TRUE(configuration.Add(std::move(document.resource)));
  }
  EXPECT_TRUE(problems.empty()) << problems.ToString();
  return configuration;
}

// ComesBefore and resolve::ComesBefore are one order, wherever a request could tell: among the matches of a listener,
// hostname and path (or hostname, of regular expressions).
void ExpectOrderOfResolve(const RouteTable& table, const resolve::ResolvedGateway& gateway, uint16_t port) {
  std::map<std::string, std::string> groups;  // by the place of a match in its Route
  std::map<std::string, std::vector<std::string>> got, resolved;
  for (const ListenerRoutes& listener : table.listeners()) {
    for (const auto& [match, same] : listener.matches) {
      const bool is_regex = match->path_kind == PathKind::kRegex;
      const std::string place = base::Concat(listener.name, " ", match->hostname, " ", match->rule->route, " ",
                                             match->rule->index, " ", match->index);
      groups[place] = base::Concat(listener.name, " ", match->hostname, " ", static_cast<int>(match->path_kind), " ",
                                   is_regex ? "" : match->path);
      got[groups[place]].push_back(place);
    }
  }
  for (const resolve::ResolvedListener& listener : gateway.listeners) {
    if (listener.port != port) continue;
    for (const auto& [match, same] : listener.matches) {
      const check::ResourceKey& route = match->rule->route;
      const std::string place = base::Concat(listener.name, " ", match->hostname, " ", route.name_space, "/",
                                             route.name, " ", match->rule->index, " ", match->index);
      resolved[groups[place]].push_back(place);
    }
  }
  EXPECT_EQ(got, resolved);
}

absl::StatusOr<std::unique_ptr<const RouteTable>> Build(std::string_view text, uint16_t port = 80) {
  const absl::StatusOr<resolve::ResolvedGateway> gateway =
      resolve::Resolve(Configure(text), {"Gateway", "default", "front"});
  if (!gateway.ok()) return gateway.status();
  absl::StatusOr<std::unique_ptr<const RouteTable>> table = BuildRouteTable(*gateway, port);
  if (table.ok()) ExpectOrderOfResolve(**table, *gateway, port);
  return table;
}

std::unique_ptr<const RouteTable> MustBuild(std::string_view text) {
  auto table = Build(text);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

// The definition: the first match in order that agrees, on the listener of the host.
const RuleMatch* Scan(const RouteTable& table, const RequestView& request) {
  const ListenerRoutes* best = nullptr;
  for (const ListenerRoutes& listener : table.listeners()) {
    if (!HostAgrees(listener.hostname, request.host)) continue;
    const auto rank = [](const std::string& host) {
      return host.empty() ? 0 : host.starts_with("*.") ? host.size() : size_t{10'000};
    };
    if (best == nullptr || rank(listener.hostname) > rank(best->hostname)) best = &listener;
  }
  if (best == nullptr) return nullptr;
  for (const auto& [match, same] : best->matches) {
    if (FirstMiss(*match, request) == Miss::kNone) return match.get();
  }
  return nullptr;
}

struct Request {
  const char* method = "GET";
  const char* host = "";
  const char* path = "/";
  const char* query = "";
  std::vector<std::pair<const char*, const char*>> fields = {};
};

class Asker {
 public:
  explicit Asker(const RouteTable& table) : table_(table) {}

  const RuleMatch* Match(const Request& request) {
    http::Fields fields(arena_);
    for (const auto& [name, value] : request.fields)
      fields.Add(name, value);
    const RequestView view{request.method, request.host, request.path, request.query, fields};
    const RuleMatch* match = table_.Match(view);
    EXPECT_EQ(match, Scan(table_, view)) << request.method << " " << request.host << request.path;
    return match;
  }

  Explanation Explain(const Request& request) {
    http::Fields fields(arena_);
    for (const auto& [name, value] : request.fields)
      fields.Add(name, value);
    return route::Explain(table_, {request.method, request.host, request.path, request.query, fields});
  }

 private:
  base::Arena arena_;
  const RouteTable& table_;
};

const char kRules[] = R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Route
metadata: {name: paths}
spec:
  rules:
  - {name: exact, matches: [{path: {type: Exact, value: /a/b}}]}
  - {name: short, matches: [{path: {value: /a}}]}
  - {name: long, matches: [{path: {value: /a/b/}}]}
  - {name: post, matches: [{path: {value: /m}, method: POST}]}
  - {name: plain, matches: [{path: {value: /m}}]}
  - {name: header, matches: [{path: {value: /h}, headers: [{name: X-A, value: "1"}]}]}
  - {name: headers, matches: [{path: {value: /h}, headers: [{name: x-a, value: "1"}, {name: x-b, type: RegularExpression, value: "[a-c]+"}]}]}
  - {name: list, matches: [{path: {value: /h}, headers: [{name: x-l, value: "1, 2"}]}]}
  - {name: query, matches: [{path: {value: /q}, queryParams: [{name: c, value: "dark blue"}]}]}
  - {name: query-regex, matches: [{path: {value: /q}, queryParams: [{name: c, type: RegularExpression, value: "l.*"}]}]}
  - {name: regex, matches: [{path: {type: RegularExpression, value: "/r/[0-9]+"}}]}
  - {name: two, matches: [{path: {value: /t1}}, {path: {value: /t2}}]}
  - {name: escaped, matches: [{path: {type: Exact, value: "/%7euser%3a"}}]}
---
kind: Route
metadata: {name: hosts}
spec:
  hostnames: [one.example]
  rules: [{name: one, matches: [{path: {type: Exact, value: /only}}]}]
---
kind: Route
metadata: {name: wild}
spec: {hostnames: ["*.example"], rules: [{name: wild}]}
---
kind: Route
metadata: {name: wilder}
spec: {hostnames: ["*.b.example"], rules: [{name: wilder, matches: [{path: {value: /w}}]}]}
)";

TEST(RouteTable, Wins) {
  const std::unique_ptr<const RouteTable> table = MustBuild(kRules);
  Asker asker(*table);
  const struct {
    const char* name;
    Request request;
    const char* rule;  // "": none
  } kRows[] = {
      {"exact path", {"GET", "x", "/a/b"}, "exact"},
      {"longest prefix", {"GET", "x", "/a/b/c"}, "long"},
      {"prefix with a slash", {"GET", "x", "/a/b/"}, "long"},
      {"shorter prefix", {"GET", "x", "/a/c"}, "short"},
      {"prefix itself", {"GET", "x", "/a"}, "short"},
      {"prefix ends at a segment", {"GET", "x", "/ab"}, ""},
      {"case", {"GET", "x", "/A"}, ""},
      {"method", {"POST", "x", "/m"}, "post"},
      {"other method", {"PUT", "x", "/m"}, "plain"},
      {"header", {"GET", "x", "/h", "", {{"x-a", "1"}}}, "header"},
      {"more headers", {"GET", "x", "/h", "", {{"x-a", "1"}, {"x-b", "abc"}}}, "headers"},
      {"regex is of the whole value", {"GET", "x", "/h", "", {{"x-a", "1"}, {"x-b", "abcd"}}}, "header"},
      {"header differs", {"GET", "x", "/h", "", {{"x-a", "11"}}}, ""},
      {"header is not there", {"GET", "x", "/h"}, ""},
      {"lines combined", {"GET", "x", "/h", "", {{"x-l", "1"}, {"x-l", "2"}}}, "list"},
      {"query", {"GET", "x", "/q", "b=1&c=dark%20blue"}, "query"},
      {"query with plus", {"GET", "x", "/q", "c=dark+blue"}, "query"},
      {"query regex", {"GET", "x", "/q", "c=light"}, "query-regex"},
      {"first value counts", {"GET", "x", "/q", "c=no&c=light"}, ""},
      {"regex", {"GET", "x", "/r/12"}, "regex"},
      {"regex is of the whole path", {"GET", "x", "/r/12x"}, ""},
      {"second match", {"GET", "x", "/t2/x"}, "two"},
      {"escapes are normal", {"GET", "x", "/~user%3A"}, "escaped"},
      {"no rule", {"GET", "x", "/nothing"}, ""},
      {"asterisk", {"OPTIONS", "x", "*"}, ""},
      {"exact host", {"GET", "one.example", "/only"}, "one"},
      {"less specific where none agrees", {"GET", "one.example", "/other"}, "wild"},
      {"wildcard", {"GET", "two.example", "/a"}, "wild"},
      {"wildcard of two labels", {"GET", "x.y.example", "/zzz"}, "wild"},
      {"longer wildcard", {"GET", "a.b.example", "/w"}, "wilder"},
      {"from longer to shorter wildcard", {"GET", "a.b.example", "/v"}, "wild"},
      {"wildcard needs a label", {"GET", "example", "/zzz"}, ""},
      {"wildcard ends at a dot", {"GET", "badexample", "/zzz"}, ""},
      {"asterisk on a wildcard", {"OPTIONS", "two.example", "*"}, ""},
      {"no host", {"GET", "", "/a"}, "short"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const RuleMatch* match = asker.Match(row.request);
    EXPECT_EQ(match == nullptr ? "" : match->rule->name, row.rule);
  }
}

TEST(RouteTable, OtherReadingsWinOtherRules) {
  const std::unique_ptr<const RouteTable> table = MustBuild(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Route
metadata: {name: paths}
spec:
  rules:
  - {name: admin, matches: [{path: {value: /admin}}]}
  - {name: post, matches: [{path: {value: /post}, method: POST}]}
  - {name: spelt, matches: [{path: {type: Exact, value: "/admin;spelt"}}]}
  - {name: spelt-prefix, matches: [{path: {value: "/admin;prefix"}}]}
  - {name: files, matches: [{path: {value: /files}}]}
  - {name: regex, matches: [{path: {type: RegularExpression, value: "/r;?/[a-z]+"}}]}
  - {name: version, matches: [{path: {value: "/v1;beta"}}]}
  - {name: version-admin, matches: [{path: {value: "/v1;beta/admin"}}]}
  - {name: corp, matches: [{path: {value: /@corp}}]}
  - {name: cart, matches: [{path: {type: Exact, value: /shop/cart}}]}
  - {name: shop, matches: [{path: {value: /shop}}]}
  - {name: rest}
---
kind: Route
metadata: {name: items}
spec:
  hostnames: [items.example]
  rules:
  - {name: item, matches: [{path: {value: /item}}]}
  - {name: item-id, matches: [{path: {type: RegularExpression, value: "/item;id=[0-9]+"}}]}
)");
  const struct {
    const char* name;
    const char* method;
    const char* path;
    const char* others;
    const char* host = "";
  } rows[] = {
      {"parameter", "GET", "/admin;x", "admin"},
      {"empty parameter", "GET", "/admin;", "admin"},
      {"parameter in the middle", "GET", "/admin;x/a", "admin"},
      {"encoded semicolon", "GET", "/admin%3Bx", "admin"},
      {"encoded slash", "GET", "/admin%2Fa", "admin"},
      {"encoded backslash", "GET", "/admin%5Ca", "admin"},
      {"backslash", "GET", "/admin\\a", "admin"},
      {"below the rule itself", "GET", "/admin/a;x", ""},
      {"out of a rule", "GET", "/files%2Fa;", "files"},
      {"inside one rule", "GET", "/files/a%2Fb;c", ""},
      {"all readings are the rest's", "GET", "/public;x/a%2Fb", ""},
      {"another name that begins so", "GET", "/administrator;x", ""},
      {"the other rule is for another method", "GET", "/post;x", ""},
      {"and this one", "POST", "/post;x", "post"},
      {"a rule that is spelt so", "GET", "/admin;spelt", ""},
      {"a prefix that is spelt so", "GET", "/admin;prefix/a", ""},
      {"a regular expression for both readings", "GET", "/r;/a", ""},
      {"slash in a parameter", "GET", "/admin;x%2Fy", "admin"},
      {"backslash in a parameter", "GET", "/admin;x\\y", "admin"},
      {"what follows a prefix that is spelt so", "GET", "/v1;beta/admin;x", "version-admin"},
      {"and is no other rule's", "GET", "/v1;beta/user;x", ""},
      {"name with an encoded slash", "GET", "/@corp%2Fpkg", "corp"},
      {"session in a parameter", "GET", "/shop/cart;jsessionid=1", "cart"},
      {"a regular expression that is spelt so", "GET", "/item;id=1", "item", "items.example"},
      {"other escapes", "GET", "/admin%20", ""},
      {"plain", "GET", "/admin", ""},
  };
  for (const auto& row : rows) {
    base::Arena arena;
    const http::Fields fields(arena);
    const RequestView request = {row.method, row.host, row.path, "", fields};
    const RuleMatch* match = table->Match(request);
    ASSERT_NE(match, nullptr) << row.name;
    std::string others;
    for (const RuleMatch* other : table->OtherMatches(*match, request))
      others += (others.empty() ? "" : " ") + other->rule->name;
    EXPECT_EQ(others, row.others) << row.name;
  }
}

TEST(RouteTable, ListenersAreIsolated) {
  const std::unique_ptr<const RouteTable> table = MustBuild(R"(
kind: Gateway
metadata: {name: front}
spec:
  listeners:
  - {name: any, port: 80, protocol: HTTP}
  - {name: wild, port: 80, protocol: HTTP, hostname: "*.example"}
  - {name: one, port: 80, protocol: HTTP, hostname: One.example}
  - {name: other-port, port: 81, protocol: HTTP}
---
kind: Route
metadata: {name: r}
spec: {parentRefs: [{name: front, sectionName: any}], rules: [{name: any}]}
---
kind: Route
metadata: {name: s}
spec: {parentRefs: [{name: front, sectionName: one}], rules: [{name: one, matches: [{path: {value: /1}}]}]}
---
kind: Route
metadata: {name: t}
spec: {parentRefs: [{name: front, sectionName: other-port}], rules: [{name: other}]}
)");
  ASSERT_EQ(table->listeners().size(), 3);
  Asker asker(*table);
  EXPECT_EQ(asker.Match({"GET", "x.test"})->rule->name, "any");
  EXPECT_EQ(asker.Match({"GET", "one.example", "/1"})->rule->listener, "one");
  EXPECT_EQ(asker.Match({"GET", "one.example", "/2"}), nullptr) << "falls through to another listener";
  EXPECT_EQ(asker.Match({"GET", "two.example"}), nullptr);
  EXPECT_EQ(table->FindListener("two.example")->name, "wild");
}

TEST(RouteTable, NoListener) {
  const RouteTable table({});
  Asker asker(table);
  EXPECT_EQ(asker.Match({}), nullptr);
}

TEST(RouteTable, BadRegexIsNamed) {
  const auto table = Build(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Route
metadata: {name: r}
spec: {rules: [{}, {matches: [{path: {value: /}}, {path: {type: RegularExpression, value: "/(a"}}]}]}
)");
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(base::ToStd(table.status().message()), HasSubstr("Route r: spec.rules[1].matches[1]: missing )"));
}

TEST(RouteConfig, DecodesARule) {
  const std::unique_ptr<const RouteTable> table = MustBuild(R"(
kind: Gateway
metadata: {name: front}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: c}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Route
metadata: {name: r}
spec:
  rules:
  - name: all
    matches: [{path: {value: /p/}}]
    filters:
    - urlRewrite: {hostname: inner, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1}}
    - requestHeaderModifier: {set: [{name: X-Set, value: A}], remove: [X-Gone]}
    - responseHeaderModifier: {add: [{name: X-Add, value: B}]}
    backendRefs: [{name: c, port: 9001, weight: 3}, {kind: Composition, name: none}, {name: c, weight: 0}]
    timeouts: {request: 1500ms, backendRequest: 0s}
  - matches: [{path: {value: /again}}]
    backendRefs: [{name: c}]
    retry: {}
  - matches: [{path: {value: /all-again}}]
    backendRefs: [{name: c}]
    retry: {codes: [503, 429], attempts: 3, backoff: 1500ms, methods: [POST], contentBytesMax: 7}
  - matches: [{path: {value: /away}}]
    filters: [{requestRedirect: {scheme: https, port: 8443, statusCode: 308, path: {replaceFullPath: /n}}}]
  - matches: [{path: {value: /direct}}]
    filters: [{directResponse: {status: 418, headers: [{name: Content-Type, value: text/plain}], body: short}}]
)");
  Asker asker(*table);
  const RuleMatch* match = asker.Match({"GET", "x", "/p/1"});
  ASSERT_NE(match, nullptr);
  EXPECT_EQ(match->prefix_bytes(), 2);
  const Rule& rule = *match->rule;
  EXPECT_EQ(rule.route, "default/r");
  EXPECT_EQ(rule.listener_port, 80);
  EXPECT_EQ(rule.rewrite->hostname, "inner");
  EXPECT_EQ(rule.rewrite->path->value, "/v1");
  EXPECT_EQ(rule.request_edits.set[0].first, "x-set");
  EXPECT_EQ(rule.request_edits.remove[0], "x-gone");
  EXPECT_EQ(rule.response_edits.add[0].second, "B");
  ASSERT_EQ(rule.backends.size(), 3);
  EXPECT_EQ(rule.weight_sum, 4);
  EXPECT_EQ(rule.backends[0].port, 9001);
  EXPECT_EQ(rule.backends[0].fault, "");
  EXPECT_EQ(rule.backends[1].kind, BackendKind::kComposition);
  EXPECT_THAT(rule.backends[1].fault, HasSubstr("does not exist"));
  EXPECT_EQ(rule.request_timeout, std::chrono::milliseconds(1500));
  EXPECT_EQ(rule.backend_request_timeout, std::nullopt);
  EXPECT_EQ(rule.retry, nullptr);

  const std::shared_ptr<const RetryPlan> defaults = asker.Match({"GET", "x", "/again"})->rule->retry;
  ASSERT_NE(defaults, nullptr);
  EXPECT_FALSE(defaults->HasCode(503));
  EXPECT_TRUE(defaults->HasMethod("GET"));
  EXPECT_TRUE(defaults->HasMethod("PUT"));
  EXPECT_FALSE(defaults->HasMethod("POST"));
  EXPECT_EQ(defaults->attempts, 1u);
  EXPECT_EQ(defaults->backoff, std::chrono::milliseconds(25));
  EXPECT_EQ(defaults->content_bytes_max, 65536u);
  const std::shared_ptr<const RetryPlan> written = asker.Match({"GET", "x", "/all-again"})->rule->retry;
  ASSERT_NE(written, nullptr);
  EXPECT_EQ(written->codes, (std::vector<uint32_t>{503, 429}));
  EXPECT_EQ(written->methods, std::vector<std::string>{"POST"});
  EXPECT_EQ(written->attempts, 3u);
  EXPECT_EQ(written->backoff, std::chrono::milliseconds(1500));
  EXPECT_EQ(written->content_bytes_max, 7u);

  const Rule& away = *asker.Match({"GET", "x", "/away"})->rule;
  EXPECT_EQ(away.redirect->scheme, "https");
  EXPECT_EQ(away.redirect->port, 8443);
  EXPECT_EQ(away.redirect->status, 308);
  EXPECT_EQ(away.redirect->path->value, "/n");
  const Rule& direct = *asker.Match({"GET", "x", "/direct"})->rule;
  EXPECT_EQ(direct.direct_response->status, 418);
  EXPECT_EQ(direct.direct_response->fields[0].first, "content-type");
  EXPECT_EQ(direct.direct_response->content, "short");
}

TEST(RouteTable, AgreesWithAScanOnRandomTables) {
  std::mt19937 random(11);
  const auto pick = [&random](const std::vector<const char*>& from) { return from[random() % from.size()]; };
  const std::vector<const char*> paths = {"/", "/a", "/a/", "/a/b", "/a/b/c", "/ab", "/b"};
  const std::vector<const char*> hosts = {"a.example", "b.a.example", "c.b.a.example", "example", "x"};
  for (int round = 0; round < 30; ++round) {
    std::string text =
        "kind: Gateway\nmetadata: {name: front}\nspec: {listeners: [{name: l, port: 80, protocol: HTTP}, {name: m, "
        "port: 80, protocol: HTTP, hostname: '*.a.example'}]}\n";
    for (int route = 0; route < 8; ++route) {
      text += base::Concat(
          "---\nkind: Route\nmetadata: {name: r", route, "}\nspec:\n  ",
          pick({"", "hostnames: ['*.example']", "hostnames: [a.example, '*.a.example']", "hostnames: [b.a.example]"}),
          "\n  rules:\n");
      for (int rule = 0; rule < 4; ++rule) {
        text += base::Concat("  - {matches: [{path: {type: ", pick({"Exact", "PathPrefix", "RegularExpression"}),
                             ", value: ", pick(paths), "}", pick({"", "", ", method: GET"}),
                             pick({"", "", ", headers: [{name: x, value: y}]"}),
                             pick({"", "", ", queryParams: [{name: q, value: z}]"}), "}]}\n");
      }
    }
    const std::unique_ptr<const RouteTable> table = MustBuild(text);
    Asker asker(*table);
    for (int i = 0; i < 200; ++i) {
      Request request{pick({"GET", "POST"}), pick(hosts), pick(paths), pick({"", "q=z"})};
      if (random() % 2 == 0) request.fields = {{"x", "y"}};
      asker.Match(request);  // compares
      const Explanation explanation = asker.Explain(request);
      for (const Loser& loser : explanation.losers)
        EXPECT_NE(loser.reason, "");
    }
  }
}

// Every one of 10,000 routes is found, each by a few look-ups: a scan of all would take this test minutes.
TEST(RouteTable, TenThousandRoutes) {
  std::vector<ListenerRoutes> listeners(1);
  const auto rule = std::make_shared<const Rule>();
  for (int i = 0; i < 10'000; ++i) {
    RuleMatch match;
    match.hostname = base::Concat("h", i % 100, ".example");
    match.path = base::Concat("/service-", i, i % 2 == 0 ? "/v1" : "");
    match.rule = rule;
    const auto shared = std::make_shared<const RuleMatch>(std::move(match));
    listeners[0].matches.Put(shared, shared);
  }
  const RouteTable table(std::move(listeners));
  base::Arena arena;
  const http::Fields fields(arena);
  for (int i = 0; i < 10'000; ++i) {
    const std::string host = base::Concat("h", i % 100, ".example");
    const std::string path = base::Concat("/service-", i, "/v1/x");
    const RuleMatch* match = table.Match({"GET", host, path, "", fields});
    ASSERT_NE(match, nullptr);
    EXPECT_TRUE(PathAgrees(*match, path));
  }
}

TEST(Explain, Reasons) {
  const std::unique_ptr<const RouteTable> table = MustBuild(kRules);
  Asker asker(*table);
  const struct {
    const char* name;
    Request request;
    const char* loser;
    Miss miss;
    const char* reason;
  } kRows[] = {
      {"host", {"GET", "x", "/a/b"}, "one", Miss::kHost, "it is for one.example"},
      {"path", {"GET", "x", "/a/b"}, "plain", Miss::kPath, "/a/b is not PathPrefix /m"},
      {"method", {"GET", "x", "/m"}, "post", Miss::kMethod, "it is for POST"},
      {"no header", {"GET", "x", "/h"}, "header", Miss::kHeader, "it wants header x-a = 1, which the request has not"},
      {"header",
       {"GET", "x", "/h", "", {{"x-a", "1"}, {"x-b", "z"}}},
       "headers",
       Miss::kHeader,
       "it wants header x-b =~ [a-c]+, the request's differs"},
      {"query", {"GET", "x", "/q"}, "query", Miss::kQuery, "it wants query parameter c = dark blue"},
      {"kind of path", {"GET", "x", "/a/b"}, "long", Miss::kNone, "Exact /a/b goes before PathPrefix /a/b"},
      {"length", {"GET", "x", "/a/b/c"}, "short", Miss::kNone, "PathPrefix /a/b is longer"},
      {"method wins", {"POST", "x", "/m"}, "plain", Miss::kNone, "the winner names the method"},
      {"headers win",
       {"GET", "x", "/h", "", {{"x-a", "1"}, {"x-b", "a"}}},
       "header",
       Miss::kNone,
       "the winner has more header conditions"},
      {"host wins",
       {"GET", "one.example", "/only"},
       "wild",
       Miss::kNone,
       "one.example is more specific than *.example"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const Explanation explanation = asker.Explain(row.request);
    bool found = false;
    for (const Loser& loser : explanation.losers) {
      if (loser.match->rule->name != row.loser) continue;
      found = true;
      EXPECT_EQ(loser.miss, row.miss);
      EXPECT_EQ(loser.reason, row.reason);
    }
    EXPECT_TRUE(found);
  }
}

TEST(Explain, Describes) {
  const std::unique_ptr<const RouteTable> table = MustBuild(kRules);
  Asker asker(*table);
  EXPECT_EQ(Describe(*asker.Match({"GET", "x", "/h", "", {{"x-a", "1"}}})),
            "PathPrefix /h, header x-a = 1, on any host");
  EXPECT_EQ(Describe(*asker.Match({"POST", "x", "/m"})), "POST PathPrefix /m, on any host");
}

}  // namespace
}  // namespace portico::route
