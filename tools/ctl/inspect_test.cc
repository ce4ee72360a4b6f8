// diff, describe, explain, watch and what a shell completes.
#include <map>
#include <string>
#include <vector>

#include "tools/ctl/command_rows.h"

namespace portico::ctl {
namespace {

using test::Failed;
using test::From;
using test::Row;
using test::Script;
using test::Stored;

const std::map<std::string, std::string> kFiles = {
    {"orders.yaml", "kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: 2}]}\n"},
    {"seen.yaml",
     "kind: Cluster\nmetadata: {name: orders, revision: 5}\nspec: {endpoints: [{address: 127.0.0.1, port: 2}]}\n"},
    {"labelled.yaml",
     "kind: Cluster\nmetadata: {name: orders, labels: {a: b}}\nspec: {endpoints: [{address: 127.0.0.1, port: 2}]}\n"},
    {"wrong.yaml", "kind: Cluster\nmetadata: {name: orders}\nspec: {endpoint: []}\n"},
    {"secret.yaml",
     "kind: Secret\nmetadata: {name: keys}\nspec:\n  jwks:\n    inline: '{\"keys\": [{\"kty\": \"oct\", \"alg\": "
     "\"HS256\", "
     "\"kid\": \"a\", \"k\": \"c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LTEyMzQ\"}]}'\n"},
};

void RunRows(const std::vector<Row>& rows) {
  test::RunRows(rows, {kFiles});
}

const char kOrders[] =
    "cluster { metadata { name: 'orders' revision: 7 creation_revision: 3 } "
    "spec { endpoints { address: '127.0.0.1' port: 1 } } }";

// A store with `resources` and what a dry run says.
Script DryRun(const std::vector<std::string>& resources, const std::string& changes) {
  Script script = Stored(resources);
  script.change.response = From<portico::v1::ApplyResponse>(changes);
  return script;
}

std::string Change(const std::string& kind, const std::string& name, const std::string& change) {
  return "changes { name { kind: '" + kind + "' namespace: 'default' name: '" + name + "' } kind: " + change + " } ";
}

TEST(Diff, Rows) {
  const std::string body =
      "@@ -5,4 +5,4 @@\n spec:\n   endpoints:\n   - address: \"127.0.0.1\"\n-    port: 1\n+    port: 2\n";
  const std::string updated = Change("Cluster", "orders", "UPDATED");
  RunRows({
      {"the same",
       {"diff", "-f", "orders.yaml"},
       DryRun({kOrders}, Change("Cluster", "orders", "UNCHANGED")),
       0,
       "",
       {},
       {"dry_run: true"}},
      {"another value",
       {"diff", "-f", "orders.yaml"},
       DryRun({kOrders}, updated),
       1,
       "--- Cluster default/orders (revision 7)\n+++ Cluster default/orders (orders.yaml)\n" + body,
       {}},
      {"of an older version",
       {"diff", "-f", "seen.yaml"},
       DryRun({kOrders}, updated),
       1,
       "--- Cluster default/orders (revision 7)\n+++ Cluster default/orders (seen.yaml, of revision 5: apply would "
       "refuse "
       "it)\n" +
           body,
       {},
       {"cluster { metadata { name: \"orders\" } spec"}},
      {"new, with a warning",
       {"diff", "-f", "orders.yaml", "--tolerate"},
       DryRun({}, Change("Cluster", "orders", "CREATED") +
                      "warnings { name { kind: 'Cluster' name: 'orders' } message: 'odd' }"),
       1,
       "--- /dev/null\n+++ Cluster default/orders (orders.yaml)\n@@ -0,0 +1,8 @@\n+apiVersion: portico.dev/v1\n+kind: "
       "Cluster\n"
       "+metadata:\n+  name: orders\n+spec:\n+  endpoints:\n+  - address: \"127.0.0.1\"\n+    port: 2\n",
       {"warning: Cluster default/orders: odd\n"},
       {"references: REFERENCE_RULE_TOLERATE"}},
      {"pruned",
       {"diff", "-f", "labelled.yaml", "--prune", "-l", "a=b"},
       DryRun({"cluster { metadata { name: 'old' revision: 4 labels { key: 'a' value: 'b' } } }"},
              Change("Cluster", "old", "DELETED") + Change("Cluster", "orders", "UNCHANGED")),
       1,
       "--- Cluster default/old (revision 4)\n+++ /dev/null\n@@ -1,6 +0,0 @@\n-apiVersion: portico.dev/v1\n-kind: "
       "Cluster\n"
       "-metadata:\n-  name: old\n-  labels:\n-    a: b\n",
       {},
       {"deletes { kind: \"Cluster\" namespace: \"default\" name: \"old\" }"}},
      {"a secret",
       {"diff", "-f", "secret.yaml"},
       DryRun({"secret { metadata { name: 'keys' revision: 4 } spec { jwks { inline: 'sha256:0' } } }"},
              Change("Secret", "keys", "UPDATED")),
       1,
       "--- Secret default/keys (revision 4)\n+++ Secret default/keys (secret.yaml)\n@@ -4,4 +4,4 @@\n   name: keys\n "
       "spec:\n"
       "   jwks:\n-    inline: \"sha256:0\"\n+    inline: "
       "\"sha256:274f0973714e2d4e8fb3c6fa8544e40f0af72228db3a6b8d2e0fbb13fe5ba276\"\n",
       {}},
      {"refused",
       {"diff", "-f", "orders.yaml"},
       Failed(absl::FailedPreconditionError("refused"), {{"Cluster default/orders", "spec", "odd"}}),
       2,
       "",
       {"orders.yaml:3: spec: odd\n", "porticoctl diff: refused\n"}},
      {"wrong here", {"diff", "-f", "wrong.yaml"}, {}, 2, "", {"wrong.yaml:3: spec: unknown field `endpoint`"}},
      {"no file", {"diff"}, {}, 2, "", {"-f (--file) is required"}},
      {"no certificate",
       {"diff", "-f", "orders.yaml", "--tls_cert=a", "--tls_key=a", "--ca=a"},
       {},
       2,
       "",
       {"--tls_cert=a: no such file"}},
  });
}

const char kGateway[] =
    "gateway { metadata { name: 'front' revision: 1 creation_revision: 1 } "
    "spec { listeners { name: 'http' port: 80 protocol: LISTENER_PROTOCOL_HTTP } } }";
const char kRoute[] =
    "route { metadata { name: 'shop' revision: 9 creation_revision: 2 } "
    "spec { rules { name: 'all' backend_refs { name: 'orders' } } rules { matches { path { value: '/x' } } "
    "backend_refs { name: 'gone' } } } }";
const char kPolicy[] =
    "auth_policy { metadata { name: 'closed' revision: 4 creation_revision: 4 } spec { "
    "target_refs { kind: 'Route' name: 'shop' section_name: 'all' } "
    "authentication { any_of { anonymous { } } } "
    "authorization { default_action: AUTHORIZATION_ACTION_DENY } } }";

const char kLimits[] =
    "rate_limit_policy { metadata { name: 'fair' revision: 5 creation_revision: 5 } spec { "
    "target_refs { kind: 'Gateway' name: 'front' } report_only: true "
    "limits { name: 'each' key: RATE_LIMIT_KEY_CLIENT_ADDRESS limit { requests: 100 per { seconds: 1 } } burst: 9 } "
    "limits { name: 'all' limit { requests: 5 per { seconds: 60 } } } "
    "limits { name: 'tenant' key: RATE_LIMIT_KEY_HEADER key: RATE_LIMIT_KEY_CONSUMER header: 'x-tenant' "
    "limit { requests: 5 per { seconds: 3600 } } } } }";
const char kCache[] =
    "cache_policy { metadata { name: 'store' revision: 6 creation_revision: 6 } spec { "
    "target_refs { kind: 'Route' name: 'shop' section_name: 'all' } } }";

Script Shop() {
  Script script = Stored({kGateway, kRoute, kPolicy, kOrders});
  script.history.response = From<portico::v1::HistoryResponse>(
      "revisions { revision: 9 time { seconds: 1700000000 } author: 'me' peer: 'p' " +
      Change("Route", "shop", "UPDATED") + Change("Cluster", "orders", "UNCHANGED") + "} revisions { revision: 7 " +
      Change("Cluster", "orders", "UPDATED") + "}");
  script.proxies.response = From<portico::v1::ListProxiesResponse>(
      "proxies { node_id: 'edge-1' gateway: 'default/front' connected: true epoch: 'e' running_revision: 9 "
      "wanted_revision: 9 refusals { resource: 'R' reason: 'why' } }");
  return script;
}

const char kRouteText[] =
    "Route default/shop\nrevision 9, first stored at revision 2; the configuration is at revision 12\n\n"
    "apiVersion: portico.dev/v1\nkind: Route\nmetadata:\n  name: shop\nspec:\n  rules:\n  - name: all\n    "
    "backendRefs:\n"
    "    - name: orders\n  - matches:\n    - path:\n        value: /x\n    backendRefs:\n    - name: gone\n\n"
    "refers to:\n  Cluster default/gone (does not exist)\n  Cluster default/orders\n\n"
    "is referred to by:\n  AuthPolicy default/closed (guards it)\n\n"
    "effective policies:\n  rule all on Gateway front, listener http\n"
    "    authentication: AuthPolicy closed, from Route shop, rule all\n"
    "    authorization: AuthPolicy closed, from Route shop, rule all\n"
    "  rule 1 on Gateway front, listener http\n    authentication: none\n    authorization: none\n\n"
    "revisions:\n  9: updated 2023-11-14T22:13:20Z by me from p\n";

const char kPolicyText[] =
    "AuthPolicy default/closed\nrevision 4, first stored at revision 4; the configuration is at revision 12\n\n"
    "apiVersion: portico.dev/v1\nkind: AuthPolicy\nmetadata:\n  name: closed\nspec:\n  targetRefs:\n  - kind: Route\n"
    "    name: shop\n    sectionName: all\n  authentication:\n    anyOf:\n    - anonymous: {}\n  authorization:\n"
    "    defaultAction: Deny\n\n"
    "refers to:\n  Route default/shop\n\n"
    "holds for:\n  Route default/shop, rule all on Gateway front, listener http: authentication and authorization\n";

const char kGatewayText[] =
    "Gateway default/front\nrevision 1, first stored at revision 1; the configuration is at revision 12\n\n"
    "apiVersion: portico.dev/v1\nkind: Gateway\nmetadata:\n  name: front\nspec:\n  listeners:\n  - name: http\n    "
    "port: 80\n"
    "    protocol: HTTP\n\n"
    "routes:\n  Route default/shop on listener http\n\n"
    "proxies:\n  edge-1 runs revision 9 of 9: refused\n    edge-1 (default/front) refused R: why\n";

TEST(Describe, Rows) {
  RunRows({
      {"a route", {"describe", "route", "shop"}, Shop(), 0, kRouteText, {}, {"List()", "History(limit: 100)"}},
      {"a policy", {"describe", "authpolicy", "closed"}, Shop(), 0, kPolicyText, {}},
      {"a gateway",
       {"describe", "gateway", "front"},
       Shop(),
       0,
       kGatewayText,
       {},
       {"ListProxies(gateways: \"default/front\")"}},
      {"not there",
       {"describe", "route", "shop", "-n", "x"},
       Shop(),
       1,
       "",
       {"porticoctl describe: there is no Route x/shop\n"}},
      {"no name", {"describe", "route"}, {}, 2, "", {"it takes KIND and NAME"}},
      {"no kind", {"describe", "rout", "x"}, {}, 2, "", {"did you mean `Route`?"}},
      {"unreachable",
       {"describe", "route", "x"},
       Failed(absl::UnavailableError("nobody")),
       1,
       "",
       {"porticoctl describe: nobody\n"}},
  });
}

TEST(Describe, PoliciesOfOtherKinds) {
  const std::string rule =
      "limit: each, 100 in 1s, 9 at once by ClientAddress, report only (RateLimitPolicy fair, from "
      "Gateway front)\n"
      "    limit: all, 5 in 1m, report only (RateLimitPolicy fair, from Gateway front)\n"
      "    limit: tenant, 5 in 1h by header x-tenant and Consumer, report only (RateLimitPolicy fair, "
      "from Gateway front)\n";
  const std::string route =
      "Route default/shop\nrevision 9, first stored at revision 2; the configuration is at revision 12\n\n"
      "apiVersion: portico.dev/v1\nkind: Route\nmetadata:\n  name: shop\nspec:\n  rules:\n  - name: all\n    "
      "backendRefs:\n    - name: orders\n  - matches:\n    - path:\n        value: /x\n    backendRefs:\n    - name: "
      "gone\n\nrefers to:\n  Cluster default/gone (does not exist)\n  Cluster default/orders\n\n"
      "is referred to by:\n  CachePolicy default/store (guards it)\n\n"
      "effective policies:\n  rule all on Gateway front, listener http\n    authentication: none\n    authorization: "
      "none\n    " +
      rule +
      "    cache: CachePolicy store, from Route shop, rule all\n"
      "  rule 1 on Gateway front, listener http\n    authentication: none\n    authorization: none\n    " +
      rule;
  const std::string limits_hold =
      "refers to:\n  Gateway default/front\n\nholds for:\n"
      "  Route default/shop, rule all on Gateway front, listener http: limits\n"
      "  Route default/shop, rule 1 on Gateway front, listener http: limits\n";
  const auto run = [](const std::string& kind, const std::string& name) {
    return std::vector<std::string>{"describe", kind, name};
  };
  const Script script = Stored({kGateway, kRoute, kOrders, kLimits, kCache});
  const std::string limits =
      "RateLimitPolicy default/fair\nrevision 5, first stored at revision 5; the configuration is at revision 12\n\n"
      "apiVersion: portico.dev/v1\nkind: RateLimitPolicy\nmetadata:\n  name: fair\nspec:\n  targetRefs:\n  - kind: "
      "Gateway\n    name: front\n  limits:\n  - name: each\n    key:\n    - ClientAddress\n    limit:\n      requests: "
      "100\n      per: 1s\n    burst: 9\n  - name: all\n    limit:\n      requests: 5\n      per: 1m\n  - name: "
      "tenant\n    key:\n    - Header\n    - Consumer\n    header: x-tenant\n    limit:\n      requests: 5\n      per: "
      "1h\n  reportOnly: true\n\n" +
      limits_hold;
  RunRows({{"a route", run("route", "shop"), script, 0, route, {}},
           {"limits", run("ratelimitpolicy", "fair"), script, 0, limits, {}}});
}

// A history comes in pieces.
TEST(Describe, OldRevisions) {
  Script script = Stored({kOrders});
  for (int revision = 150; revision > 0; --revision) {
    const std::string name = revision == 7 ? "orders" : "other";
    *script.history.response.add_revisions() = From<portico::v1::RevisionRecord>(
        "revision: " + std::to_string(revision) + " author: 'me' peer: 'p' " + Change("Cluster", name, "UPDATED"));
  }
  const std::string text =
      "Cluster default/orders\nrevision 7, first stored at revision 3; the configuration is at revision 12\n\n"
      "apiVersion: portico.dev/v1\nkind: Cluster\nmetadata:\n  name: orders\nspec:\n  endpoints:\n"
      "  - address: \"127.0.0.1\"\n    port: 1\n\nrevisions:\n  7: updated 1970-01-01T00:00:00Z by me from p\n";
  RunRows({{"the second piece",
            {"describe", "cluster", "orders"},
            script,
            0,
            text,
            {},
            {"History(before: 51 limit: 100)"}}});
}

TEST(Describe, EndpointsThatAreListedElsewhere) {
  const std::string moving =
      "cluster { metadata { name: 'orders' revision: 7 creation_revision: 3 } spec { endpoints_from { name: 'list' } } "
      "}";
  const std::string listed =
      "endpoints { metadata { name: 'list' revision: 8 creation_revision: 8 } spec { endpoints { address: '10.0.0.1' "
      "port: "
      "80 } endpoints { address: '::1' port: 81 weight: 0 } } }";
  const std::string text =
      "Cluster default/orders\nrevision 7, first stored at revision 3; the configuration is at revision 12\n\n"
      "apiVersion: portico.dev/v1\nkind: Cluster\nmetadata:\n  name: orders\nspec:\n  endpointsFrom:\n    name: "
      "list\n\n";
  RunRows({
      {"some",
       {"describe", "cluster", "orders"},
       Stored({moving, listed}),
       0,
       text + "refers to:\n  Endpoints default/list\n\nendpoints:\n  10.0.0.1:80\n  [::1]:81, weight 0\n",
       {}},
      {"none",
       {"describe", "cluster", "orders"},
       Stored({moving}),
       0,
       text +
           "refers to:\n  Endpoints default/list (does not exist)\n\nendpoints:\n  none: requests are answered 503\n",
       {}},
  });
}

TEST(Describe, WhatIsNotMeant) {
  const std::string other =
      "route { metadata { name: 'other' revision: 9 creation_revision: 9 } spec { parent_refs { name: "
      "'front' section_name: 'nowhere' } rules { backend_refs { name: 'orders' } } } }";
  const std::string text =
      "Route default/other\nrevision 9, first stored at revision 9; the configuration is at revision 12\n\n"
      "apiVersion: portico.dev/v1\nkind: Route\nmetadata:\n  name: other\nspec:\n  parentRefs:\n  - name: front\n"
      "    sectionName: nowhere\n  rules:\n  - backendRefs:\n    - name: orders\n\n"
      "refers to:\n  Cluster default/orders\n  Gateway default/front\n\n"
      "effective policies:\n  it is attached to no Gateway\n\n"
      "notices:\n  Route default/other: spec.parentRefs[0]: attaches to nothing: Gateway front has no listener named "
      "`nowhere`\n";
  RunRows(
      {{"attached nowhere", {"describe", "route", "other"}, Stored({kGateway, kRoute, kOrders, other}), 0, text, {}}});
}

TEST(Explain, WhatTheControlPlaneHolds) {
  const std::string out =
      "GET http://x/a\non Gateway front, listener http (port 80)\n\n"
      "wins: Route default/shop, rule all, match 0 (PathPrefix /, on any host)\n"
      "  authentication: AuthPolicy closed, from Route shop, rule all\n"
      "  authorization: AuthPolicy closed, from Route shop, rule all\n"
      "  backend: Cluster default/orders, weight 1 of 1\n\n"
      "loses:\n  Route default/shop, rule 1, match 0 (PathPrefix /x, on any host): /a is not PathPrefix /x\n";
  RunRows({
      {"now", {"explain", "--url", "http://x/a"}, Shop(), 0, out, {}, {"127.0.0.1:9900 30000\nList()"}},
      {"then", {"explain", "--url", "http://x/a", "--revision=7"}, Shop(), 0, out, {}, {"List(revision: 7)"}},
      {"no gateway",
       {"explain", "--url", "http://x/a"},
       Stored({kOrders}),
       1,
       "",
       {"the configuration has no Gateway"}},
      {"no revision", {"explain", "--url", "http://x/a", "--revision=x"}, {}, 2, "", {"--revision is a number"}},
      {"unreachable",
       {"explain", "--url", "http://x/a"},
       Failed(absl::UnavailableError("nobody")),
       1,
       "",
       {"porticoctl explain: nobody\n"}},
  });
}

TEST(Complete, Rows) {
  const Script shop = Stored({kGateway, kRoute, kOrders, "cluster { metadata { name: 'else' namespace: 'x' } }"});
  RunRows({
      {"commands", {"__complete", "d"}, {}, 0, "diff\ndescribe\ndelete\n", {}},
      {"all commands begin with nothing",
       {"__complete", ""},
       {},
       0,
       "apply\ndiff\nget\ndescribe\ndelete\nexplain\nhistory\nrollback\nstatus\nwatch\nkey\ntoken\ncache\nvalidate\ntes"
       "t\n"
       "fields\n"
       "completion\n",
       {}},
      {"an unknown command", {"__complete", "x", ""}, {}, 0, "", {}},
      {"nothing typed", {"__complete"}, {}, 0, "", {}},
      {"kinds", {"__complete", "get", "c"}, {}, 0, "composition\ncluster\nconsumer\ncachepolicy\ncachepurge\n", {}},
      {"get all", {"__complete", "get", "al"}, {}, 0, "all\n", {}},
      {"flags", {"__complete", "get", "--l"}, {}, 0, "--labels\n", {}},
      {"flags that all have", {"__complete", "apply", "-f", "x", "--ti"}, {}, 0, "--timeout\n", {}},
      {"output", {"__complete", "get", "route", "-o", ""}, {}, 0, "table\nyaml\njson\n", {}},
      {"output behind an equals sign", {"__complete", "get", "--output=y"}, {}, 0, "--output=yaml\n", {}},
      {"a file is the shell's business", {"__complete", "apply", "-f", ""}, {}, 0, "", {}},
      {"shells", {"__complete", "completion", "f"}, {}, 0, "fish\n", {}},
      {"paths of fields", {"__complete", "fields", "Route.spec.ru"}, {}, 0, "Route.spec.rules\n", {}},
      {"kinds of paths", {"__complete", "fields", "Rou"}, {}, 0, "Route\n", {}},
      {"names",
       {"__complete", "describe", "clusters", "--api_address", "127.0.0.1:1", "o"},
       shop,
       0,
       "orders\n",
       {},
       {"127.0.0.1:1 1000\nList(kind: \"Cluster\" namespace: \"default\")"}},
      {"more names of a delete",
       {"__complete", "delete", "cluster", "a", "-nx", "o"},
       shop,
       0,
       "orders\n",
       {},
       {"List(kind: \"Cluster\" namespace: \"x\")"}},
      {"no more words", {"__complete", "get", "cluster", "orders", ""}, shop, 0, "", {}},
      {"namespaces", {"__complete", "get", "cluster", "-n", ""}, shop, 0, "default\nx\n", {}},
      {"gateways",
       {"__complete", "explain", "--gateway="},
       Stored({kGateway}),
       0,
       "--gateway=default/front\n",
       {},
       {"List(kind: \"Gateway\")"}},
      {"nobody answers", {"__complete", "get", "cluster", "o"}, Failed(absl::UnavailableError("nobody")), 0, "", {}},
      {"flags that make no sense", {"__complete", "get", "cluster", "--timeout=x", "o"}, shop, 0, "", {}},
  });
}

Script::Watched Told(const std::vector<std::string>& responses, const absl::Status& end) {
  Script::Watched watched;
  for (const std::string& response : responses)
    watched.responses.push_back(From<portico::v1::WatchResponse>(response));
  watched.end = end;
  return watched;
}

Script At12(const std::vector<Script::Watched>& watches) {
  Script script;
  script.history.response = From<portico::v1::HistoryResponse>("revisions { revision: 12 } epoch: 'e'");
  script.watches = watches;
  return script;
}

std::string Cluster(const std::string& name, int revision, int created) {
  return "resources { cluster { metadata { name: '" + name + "' revision: " + std::to_string(revision) +
         " creation_revision: " + std::to_string(created) + " } } } ";
}

TEST(Watch, Rows) {
  const absl::Status broken = absl::UnavailableError("broken");
  const std::string gone = "deleted { kind: 'Route' namespace: 'x' name: 'r' } ";
  const std::string two = "revision 13: Cluster default/a created\nrevision 14: Cluster default/b updated\n";
  const Script::Watched first =
      Told({Cluster("a", 13, 13) + "revision: 13 epoch: 'e'", Cluster("b", 14, 3) + "revision: 14 epoch: 'e'"}, broken);
  RunRows({
      {"what comes",
       {"watch"},
       At12({first}),
       1,
       two,
       {"porticoctl watch: the script is over\n"},
       {"History(limit: 1)", "Watch(after_revision: 12 epoch: \"e\")"}},
      {"one kind",
       {"watch", "clusters", "-n", "x"},
       At12({}),
       1,
       "",
       {"the script is over"},
       {"Watch(kind: \"Cluster\" namespace: \"x\" after_revision: 12 epoch: \"e\")"}},
      {"everything",
       {"watch", "--after=0"},
       At12({Told({Cluster("a", 7, 3) + "revision: 12 epoch: 'e'"}, broken)}),
       1,
       "revision 7: Cluster default/a created\n",
       {"the script is over"},
       {"Watch(epoch: \"e\")"}},
      {"goes on where it was",
       {"watch"},
       At12({first, Told({gone + "revision: 16 epoch: 'e'"}, broken)}),
       1,
       two + "revision 16: Route x/r deleted\n",
       {"porticoctl watch: broken; trying again\n"},
       {"pause 200\nWatch(after_revision: 14 epoch: \"e\")\npause 200\nWatch(after_revision: 16 epoch: \"e\")"}},
      {"pieces of a revision are told once, and together",
       {"watch"},
       At12({Told({Cluster("a", 13, 13) + "more: true"}, broken),
             Told({Cluster("a", 13, 13) + "more: true", gone + "revision: 13 epoch: 'e'"}, broken)}),
       1,
       "revision 13: Route x/r deleted\nrevision 13: Cluster default/a created\n",
       {"the script is over"}},
      {"waits longer for one that is not there",
       {"watch"},
       At12({Told({}, broken), Told({}, broken)}),
       1,
       "",
       {"the script is over"},
       {"pause 400\nWatch(after_revision: 12 epoch: \"e\")\npause 800\n"}},
      {"begins again if the revision is not kept",
       {"watch"},
       At12({Told({}, absl::OutOfRangeError("not kept")),
             Told({Cluster("a", 3, 3) + "revision: 5 epoch: 'f'"}, broken)}),
       1,
       "revision 3: Cluster default/a created\n",
       {"porticoctl watch: not kept: everything is told again\n"},
       {"Watch()\npause 200\nWatch(after_revision: 5 epoch: \"f\")"}},
      {"json",
       {"watch", "-o", "json"},
       At12({Told({Cluster("a", 13, 3) + gone + "revision: 13 epoch: 'e'"}, absl::InternalError("x"))}),
       1,
       "{\"revision\": 13, \"change\": \"deleted\", \"resource\": {\"apiVersion\": \"portico.dev/v1\", \"kind\": "
       "\"Route\", "
       "\"metadata\": {\"name\": \"r\", \"namespace\": \"x\"}}}\n"
       "{\"revision\": 13, \"change\": \"updated\", \"resource\": {\"apiVersion\": \"portico.dev/v1\", \"kind\": "
       "\"Cluster\", \"metadata\": {\"name\": \"a\", \"creationRevision\": 3, \"revision\": 13}}}\n",
       {"porticoctl watch: x\n"}},
      {"yaml",
       {"watch", "-o", "yaml"},
       At12({Told({gone + "revision: 13 epoch: 'e'"}, absl::InternalError("x"))}),
       1,
       "---\n# revision 13: Route x/r deleted\napiVersion: portico.dev/v1\nkind: Route\nmetadata:\n  name: r\n  "
       "namespace: x\n",
       {"porticoctl watch: x\n"}},
      {"no number", {"watch", "--after=x"}, {}, 2, "", {"--after is a number"}},
      {"unreachable", {"watch"}, Failed(absl::UnavailableError("nobody")), 1, "", {"porticoctl watch: nobody\n"}},
  });
}

}  // namespace
}  // namespace portico::ctl
