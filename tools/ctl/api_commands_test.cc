#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "tools/ctl/command_rows.h"

namespace portico::ctl {
namespace {

using test::Failed;
using test::From;
using test::Row;
using test::Script;

const char kRoute[] = "kind: Route\nmetadata: {name: shop}\nspec:\n  rules:\n  - backendRefs: [{name: orders}]\n";
const char kSecret[] = "kind: Secret\nmetadata: {name: keys}\nspec:\n  jwks: {file: nowhere}\n";

const std::map<std::string, std::string> kFiles = {
    {"shop.yaml", kRoute},
    {"seen.yaml",
     "kind: Route\nmetadata: {name: shop, revision: 7}\nspec:\n  rules:\n  - backendRefs: [{name: orders}]\n"},
    {"labelled.yaml",
     "kind: Route\nmetadata: {name: shop, labels: {app: shop}}\nspec:\n  rules:\n  - backendRefs: [{name: orders}]\n"},
    {"empty.yaml", ""},
    {"secret.yaml", kSecret},
    {"wrong.yaml", "kind: Route\nmetadata: {name: shop}\nspec:\n  rulez: []\n"},
    {"client.crt", "C"},
    {"client.key", "K"},
};

Script Changed(const std::string& text, const std::vector<std::string>& watch = {}, absl::Status end = {}) {
  Script script;
  script.change.response = From<portico::v1::ApplyResponse>(text);
  for (const std::string& response : watch)
    script.proxy_watch.push_back(From<portico::v1::ListProxiesResponse>(response));
  script.watch_end = std::move(end);
  return script;
}

void RunRows(const std::vector<Row>& rows, const std::string& standard_input = "", bool terminal = false) {
  test::RunRows(rows, {kFiles, standard_input, terminal});
}

const char kMade[] = R"(revision: 42 epoch: "e" gateways: "default/g"
  changes { name { kind: "Cluster" namespace: "default" name: "orders" } kind: UNCHANGED }
  changes { name { kind: "Route" namespace: "default" name: "shop" } kind: CREATED })";
const char kMadeLines[] = "Route default/shop created\nrevision 42\n";

// One proxy of default/g as FleetService tells of it.
std::string Proxy(const std::string& node, int running, int wanted, const std::string& more = "") {
  return "proxies { node_id: '" + node + "' instance: 'i' gateway: 'default/g' epoch: 'e' connected: true " +
         "running_revision: " + std::to_string(running) + " wanted_revision: " + std::to_string(wanted) + " " + more +
         " since { seconds: 1700000000 } } ";
}

// The same of a store that was restored since.
std::string Other(std::string proxy) {
  return proxy.replace(proxy.find("epoch: 'e'"), 10, "epoch: 'f'");
}

TEST(ApiCommands, CommonFlags) {
  const Script script = Changed(kMade);
  RunRows({
      {"defaults", {"apply", "-f", "shop.yaml"}, script, 0, kMadeLines, {}, {"127.0.0.1:9900 30000\n"}},
      {"others",
       {"apply", "-f", "shop.yaml", "--api_address=[::1]:1", "--timeout=500ms"},
       script,
       0,
       kMadeLines,
       {},
       {"[::1]:1 500\n"}},
      {"tls",
       {"apply", "-f", "shop.yaml", "--tls_cert=client.crt", "--tls_key=client.key", "--ca=client.crt"},
       script,
       0,
       kMadeLines,
       {},
       {" as C "}},
      {"half of tls", {"apply", "-f", "shop.yaml", "--ca=client.crt"}, {}, 2, "", {"belong together"}},
      {"no such file",
       {"apply", "-f", "shop.yaml", "--tls_cert=none", "--tls_key=client.key", "--ca=client.crt"},
       {},
       1,
       "",
       {"--tls_cert=none: no such file"}},
      {"a number as time", {"status", "--timeout=30"}, {}, 2, "", {"--timeout is a duration"}},
      {"no time", {"status", "--timeout=0s"}, {}, 2, "", {"must not be 0"}},
      {"output", {"get", "all", "-o", "xml"}, {}, 2, "", {"-o is table, yaml or json, not `xml`"}},
      {"unreachable",
       {"status"},
       Failed(absl::UnavailableError("control plane unreachable at a: b")),
       1,
       "",
       {"porticoctl status: control plane unreachable at a: b\n"}},
  });
}

TEST(ApiCommands, Apply) {
  const std::vector<ApiViolation> violations = {
      {"Route default/shop", "spec.rules[0].backendRefs[0].name", "no orders"}, {"Route default/else", "", "needs it"}};
  RunRows({
      {"dry run",
       {"apply", "-f", "shop.yaml", "--dry-run"},
       Changed(kMade),
       0,
       "Route default/shop created\nrevision 42 would hold it; nothing was changed\n",
       {},
       {"dry_run: true"}},
      {"tolerate",
       {"apply", "-f", "shop.yaml", "--tolerate"},
       Changed(kMade),
       0,
       kMadeLines,
       {},
       {"references: REFERENCE_RULE_TOLERATE"}},
      {"a warning",
       {"apply", "-f", "shop.yaml"},
       Changed(R"(revision: 1 warnings { name { kind: "Route" name: "r" } path: "spec" message: "m" })"),
       0,
       "revision 1\n",
       {"warning: Route default/r: spec: m\n"}},
      {"wrong here", {"apply", "-f", "wrong.yaml"}, {}, 1, "", {"wrong.yaml:4: spec: unknown field `rulez`"}},
      {"wrong there",
       {"apply", "-f", "shop.yaml"},
       Failed(absl::FailedPreconditionError("refused"), violations),
       1,
       "",
       {"shop.yaml:5: spec.rules[0].backendRefs[0].name: no orders\n", "Route default/else: needs it\n",
        "porticoctl apply: refused\n"}},
      {"no file", {"apply"}, {}, 2, "", {"-f (--file) is required"}},
      {"in clear to another machine",
       {"apply", "-f", "shop.yaml", "--api_address=10.0.0.1:9900"},
       {},
       2,
       "",
       {"--api_address=10.0.0.1:9900: beyond loopback it needs --tls_cert, --tls_key and --ca"}},
      {"in clear to a name",
       {"apply", "-f", "shop.yaml", "--api_address=127.example:9900"},
       {},
       2,
       "",
       {"beyond loopback"}},
      {"a version that was seen",
       {"apply", "-f", "seen.yaml"},
       Changed(kMade),
       0,
       kMadeLines,
       {},
       {"metadata { name: \"shop\" revision: 7 }"}},
      {"wait for nothing", {"apply", "-f", "shop.yaml", "--wait", "--dry-run"}, {}, 2, "", {"do not go together"}},
  });
}

// What is stored with the label app=shop.
Script Labelled(const std::vector<std::string>& names) {
  std::vector<std::string> resources;
  for (const std::string& name : names)
    resources.push_back("route { metadata { " + name + " labels { key: 'app' value: 'shop' } } }");
  Script script = test::Stored(resources);
  script.change.response = From<portico::v1::ApplyResponse>(kMade);
  return script;
}

TEST(ApiCommands, Prune) {
  const std::vector<std::string> words = {"apply", "-f", "labelled.yaml", "--prune", "-l", "app=shop"};
  const auto with = [&](const std::vector<std::string>& more) {
    std::vector<std::string> all = words;
    all.insert(all.end(), more.begin(), more.end());
    return all;
  };
  const std::string deletes =
      "} deletes { kind: \"Route\" namespace: \"default\" name: \"old\" } expected_revision: 12 "
      "expected_epoch: \"e\")";
  RunRows({
      {"what the files do not hold",
       words,
       Labelled({"name: 'shop'", "name: 'old'", "name: 'else' namespace: 'x'"}),
       0,
       kMadeLines,
       {},
       {"List(labels { key: \"app\" value: \"shop\" })", deletes}},
      {"nothing is to go",
       words,
       Labelled({"name: 'shop'"}),
       0,
       kMadeLines,
       {},
       {"backend_refs { name: \"orders\" } } } } })"}},
      {"another namespace",
       with({"-n", "x"}),
       Labelled({"name: 'old'", "name: 'else' namespace: 'x'"}),
       0,
       kMadeLines,
       {},
       {"} deletes { kind: \"Route\" namespace: \"x\" name: \"else\" } expected_revision: 12 expected_epoch: \"e\")"}},
      {"a dry run",
       with({"--dry-run"}),
       Labelled({"name: 'old'"}),
       0,
       "Route default/shop created\nrevision 42 would hold it; nothing was changed\n",
       {},
       {"dry_run: true expected_revision: 12"}},
      {"a resource without the label",
       {"apply", "-f", "shop.yaml", "--prune", "-l", "app=shop"},
       Labelled({}),
       0,
       kMadeLines,
       {"warning: Route default/shop: lacks labels of -l"}},
      {"without a label", {"apply", "-f", "shop.yaml", "--prune"}, {}, 2, "", {"--prune needs -l KEY=VALUE"}},
      {"a label without prune", {"apply", "-f", "shop.yaml", "-l", "a=b"}, {}, 2, "", {"-l and -n belong to --prune"}},
      {"no label", {"apply", "-f", "shop.yaml", "--prune", "-l", "a"}, {}, 2, "", {"-l is KEY=VALUE"}},
      {"no resource",
       {"apply", "-f", "empty.yaml", "--prune", "-l", "app=shop", "-n", "default"},
       Labelled({"name: 'shop'"}),
       1,
       "",
       {"--prune with no resource in the files would delete them all"}},
      {"unreachable", words, Failed(absl::UnavailableError("nobody")), 1, "", {"porticoctl apply: nobody\n"}},
  });
}

TEST(ApiCommands, StandardInput) {
  RunRows({{"good", {"apply", "-f", "-"}, Changed(kMade), 0, kMadeLines, {}, {"name: \"shop\""}}}, kRoute);
  RunRows({{"wrong", {"apply", "-f", "-"}, {}, 1, "", {"-:1: "}}}, "kind: Rout\n");
}

TEST(ApiCommands, Wait) {
  const std::vector<std::string> words = {"apply", "-f", "shop.yaml", "--wait"};
  const std::string lines = kMadeLines;
  const std::string told = "revision: 42";
  const absl::Status late = absl::DeadlineExceededError("no answer");
  RunRows({
      {"runs",
       words,
       Changed(kMade, {Proxy("a", 42, 42) + told}),
       0,
       lines + "revision 42 runs on 1/1 proxies (37 ms)\n",
       {},
       {"WatchProxies(gateways: \"default/g\")"}},
      {"runs later",
       words,
       Changed(kMade, {Proxy("a", 41, 42) + told, Proxy("a", 43, 43)}),
       0,
       lines + "revision 42 runs on 1/1 proxies (37 ms)\n",
       {}},
      {"is told later",
       words,
       Changed(kMade, {Proxy("a", 41, 41), Proxy("a", 41, 42) + told}, late),
       1,
       lines,
       {"a (default/g) is late: it runs revision 41\n", "--timeout is over"}},
      {"untouched",
       words,
       Changed(kMade, {Proxy("a", 7, 7) + told}),
       0,
       lines + "revision 42 runs on 1/1 proxies (37 ms)\n",
       {}},
      {"of another epoch", words, Changed(kMade, {Other(Proxy("a", 99, 99)) + told}, late), 1, lines, {"is late"}},
      {"refuses a resource",
       words,
       Changed(kMade, {Proxy("a", 42, 42, "refusals { resource: 'Route default/shop' reason: 'field 17' }") +
                       Proxy("b", 42, 42) + told}),
       1,
       lines + "revision 42 runs on 1/2 proxies (37 ms)\n",
       {"a (default/g) refused Route default/shop: field 17\n"}},
      {"refuses it all",
       words,
       Changed(kMade, {Proxy("a", 41, 42, "refused_revision: 42 refused_reason: 'no port'") + told}),
       1,
       lines + "revision 42 runs on 0/1 proxies (37 ms)\n",
       {"a (default/g) refused revision 42: no port\n"}},
      {"goes",
       words,
       Changed(kMade, {Proxy("a", 41, 42) + Proxy("b", 42, 42) + told, "gone: 'a/i'"}),
       0,
       lines + "revision 42 runs on 1/1 proxies (37 ms)\n",
       {}},
      {"none", words, Changed(kMade, {told}), 1, lines, {"no proxy is connected that would run it"}},
      {"the end", words, Changed(kMade, {}, absl::UnavailableError("ends")), 1, lines, {"porticoctl apply: ends\n"}},
      {"no gateway is concerned",
       words,
       Changed("revision: 42 epoch: 'e'"),
       0,
       "revision 42\nno gateway gets anything of it: there is nothing to wait for\n",
       {}},
  });
}

// Of a Gateway in another namespace a team knows that its change is stored.
TEST(ApiCommands, WaitForWhatMayBeSeen) {
  const std::vector<std::string> words = {"apply", "-f", "shop.yaml", "--wait"};
  const auto hidden = [](std::set<std::string> gateways, const std::vector<std::string>& told) {
    Script script = Changed(std::string(kMade) + " gateways: 'edge/front'", told);
    script.hidden = std::move(gateways);
    return script;
  };
  const std::string runs = "revision 42 runs on 1/1 proxies (37 ms)\n";
  RunRows({
      {"one of two",
       words,
       hidden({"edge/front"}, {Proxy("a", 42, 42) + "revision: 42"}),
       0,
       kMadeLines + runs,
       {"warning: revision 42 is stored; you may not see the proxies of edge/front, so they are not waited for\n"},
       {"WatchProxies(gateways: \"default/g\")"}},
      {"one of two, and the other refuses",
       words,
       hidden({"edge/front"}, {Proxy("a", 41, 42, "refused_revision: 42 refused_reason: 'no port'") + "revision: 42"}),
       1,
       kMadeLines + std::string("revision 42 runs on 0/1 proxies (37 ms)\n"),
       {"edge/front", "refused revision 42: no port\n"}},
      {"both",
       words,
       hidden({"edge/front", "default/g"}, {}),
       0,
       kMadeLines,
       {"you may not see the proxies of default/g, edge/front"}},
      {"denied all the same",
       words,
       Changed(kMade, {}, absl::PermissionDeniedError("needs the role Viewer")),
       1,
       kMadeLines,
       {"porticoctl apply: needs the role Viewer\n"}},
  });
}

// On a terminal what is late is shown until it is not, then taken away.
TEST(ApiCommands, ProgressOfAWait) {
  const std::vector<std::string> words = {"apply", "-f", "shop.yaml", "--wait"};
  const std::string told = "revision: 42";
  const std::string out = std::string(kMadeLines) + "revision 42 runs on 2/2 proxies (37 ms)\n";
  RunRows({{"late",
            words,
            Changed(kMade, {Proxy("a", 42, 42) + Proxy("b", 41, 42) + told, Proxy("b", 42, 42)}),
            0,
            out,
            {"\r\x1b[Krevision 42 runs on 1/2 proxies …\r\x1b[K"}},
           {"not late", words, Changed(kMade, {Proxy("a", 42, 42) + Proxy("b", 42, 42) + told}), 0, out, {}}},
          "", true);
}

TEST(ApiCommands, DeleteAndRollback) {
  RunRows({
      {"names",
       {"delete", "clusters", "a", "b", "-n", "x"},
       Changed("revision: 3"),
       0,
       "revision 3\n",
       {},
       {"names { kind: \"Cluster\" namespace: \"x\" name: \"a\" } names { kind: \"Cluster\" namespace: \"x\" name: "
        "\"b\" }"}},
      {"file", {"delete", "-f", "shop.yaml"}, Changed("revision: 3"), 0, "revision 3\n", {}, {"kind: \"Route\""}},
      {"a file that is only read",
       {"delete", "-f", "secret.yaml"},
       Changed("revision: 3"),
       0,
       "revision 3\n",
       {},
       {"kind: \"Secret\" namespace: \"default\" name: \"keys\""}},
      {"a file that is not readable",
       {"delete", "-f", "wrong.yaml"},
       {},
       1,
       "",
       {"wrong.yaml:4: spec: unknown field `rulez`"}},
      {"both", {"delete", "route", "a", "-f", "shop.yaml"}, {}, 2, "", {"-f names the resources alone"}},
      {"no name", {"delete", "route"}, {}, 2, "", {"it takes KIND and NAME, or -f"}},
      {"no such kind", {"delete", "rout", "a"}, {}, 2, "", {"there is no kind `rout`; did you mean `Route`?"}},
      {"needed",
       {"delete", "cluster", "a"},
       Failed(absl::FailedPreconditionError("needed"), {{"Route default/r", "spec", "refers to it"}}),
       1,
       "",
       {"Route default/r: spec: refers to it\nporticoctl delete: needed\n"}},
      {"rollback",
       {"rollback", "7", "--dry-run"},
       Changed("revision: 9"),
       0,
       "revision 9 would hold it; nothing was changed\n",
       {},
       {"Rollback(revision: 7 dry_run: true)"}},
      {"to nothing", {"rollback"}, {}, 2, "", {"it takes REVISION"}},
      {"to no number", {"rollback", "x"}, {}, 2, "", {"it takes REVISION"}},
      {"not kept", {"rollback", "7"}, Failed(absl::NotFoundError("not kept")), 1, "", {"rollback: not kept"}},
  });
}

Script Stored() {
  const std::string text = R"(cluster { metadata { name: "orders" revision: 7 labels { key: "a" value: "b" } }
    spec { connect_timeout { seconds: 1 nanos: 500000000 } endpoints { address: "::1" port: 1 } } })";
  Script script;
  script.get.response = From<portico::v1::GetResponse>("resource { " + text + " }");
  script.list.response = From<portico::v1::ListResponse>("resources { " + text + " }");
  return script;
}

TEST(ApiCommands, Get) {
  const std::string table = "KIND     NAMESPACE  NAME    REVISION\nCluster  default    orders  7\n";
  const std::string json =
      "{\"apiVersion\": \"portico.dev/v1\", \"kind\": \"Cluster\", \"metadata\": {\"name\": \"orders\", \"labels\": "
      "{\"a\": \"b\"}, \"revision\": 7}, \"spec\": {\"endpoints\": [{\"address\": \"::1\", \"port\": 1}], "
      "\"connectTimeout\": \"1s500ms\"}}";
  const std::string yaml =
      "apiVersion: portico.dev/v1\nkind: Cluster\nmetadata:\n  name: orders\n  labels:\n    a: b\n";
  const std::string spec = "spec:\n  endpoints:\n  - address: \"::1\"\n    port: 1\n  connectTimeout: 1s500ms\n";
  RunRows({
      {"one",
       {"get", "CLUSTER", "orders"},
       Stored(),
       0,
       table,
       {},
       {"Get(name { kind: \"Cluster\" namespace: \"default\" name: \"orders\" })"}},
      {"all", {"get", "all", "--revision=3"}, Stored(), 0, table, {}, {"List(revision: 3)"}},
      {"labels",
       {"get", "clusters", "-l", "a=b", "-n", "x"},
       Stored(),
       0,
       table,
       {},
       {"List(kind: \"Cluster\" namespace: \"x\" labels { key: \"a\" value: \"b\" })"}},
      {"json", {"get", "cluster", "orders", "-o", "json"}, Stored(), 0, json + "\n", {}},
      {"json of a list", {"get", "all", "-ojson"}, Stored(), 0, "[\n  " + json + "\n]\n", {}},
      {"as it is applied again",
       {"get", "cluster", "orders", "-o", "yaml"},
       Stored(),
       0,
       yaml + "  revision: 7\n" + spec,
       {}},
      {"plain", {"get", "cluster", "orders", "-o", "yaml", "--plain"}, Stored(), 0, yaml + spec, {}},
      {"nothing", {"get"}, {}, 2, "", {"it takes KIND"}},
      {"a name of all", {"get", "all", "x"}, {}, 2, "", {"a NAME needs its KIND"}},
      {"bad labels", {"get", "all", "-l", "a"}, {}, 2, "", {"-l is KEY=VALUE"}},
      {"bad revision", {"get", "all", "--revision=x"}, {}, 2, "", {"--revision is a number"}},
      {"not there", {"get", "route", "x"}, Failed(absl::NotFoundError("no x")), 1, "", {"porticoctl get: no x\n"}},
  });
}

TEST(ApiCommands, History) {
  Script script;
  script.history.response = From<portico::v1::HistoryResponse>(
      "revisions { revision: 2 time { seconds: 1700000000 } author: 'me' peer: 'p' rollback_of: 1 "
      "changes { kind: CREATED } changes { kind: CREATED } changes { kind: DELETED } }");
  const std::string changes = "rollback to 1, 2 created, 1 deleted";
  RunRows({
      {"table",
       {"history", "--limit=1"},
       script,
       0,
       "REVISION  TIME                  AUTHOR  PEER  CHANGES\n2         2023-11-14T22:13:20Z  me      p     " +
           changes + "\n",
       {},
       {"History(limit: 1)"}},
      {"json",
       {"history", "-o", "json"},
       script,
       0,
       "[\n  {\"revision\": \"2\", \"time\": \"2023-11-14T22:13:20Z\", \"author\": \"me\", \"peer\": \"p\", "
       "\"changes\": \"" +
           changes + "\"}\n]\n",
       {}},
      {"none", {"history", "-o", "yaml"}, {}, 0, "[]\n", {}},
      {"too many", {"history", "--limit=1001"}, {}, 2, "", {"--limit is 1 to 1000"}},
  });
}

std::string Gone(std::string proxy) {
  return proxy.replace(proxy.find("connected: true"), 15, "connected: false");
}

TEST(ApiCommands, Status) {
  const auto proxies = [](const std::string& text) {
    Script script;
    script.proxies.response = From<portico::v1::ListProxiesResponse>(text);
    return script;
  };
  const std::string head = "NODE  GATEWAY    RUNNING  WANTED  LAG  STATE    SINCE\n";
  RunRows({
      {"none", {"status"}, {}, 0, "NODE  GATEWAY  RUNNING  WANTED  LAG  STATE  SINCE\n", {}},
      {"behind and good",
       {"status"},
       proxies(Proxy("a", 40, 42) + Proxy("b", 42, 42)),
       1,
       "NODE  GATEWAY    RUNNING  WANTED  LAG  STATE   SINCE\n"
       "a     default/g  40       42      2    behind  2023-11-14T22:13:20Z\n"
       "b     default/g  42       42      0    good    2023-11-14T22:13:20Z\n",
       {}},
      {"refused",
       {"status"},
       proxies(Proxy("a", 42, 42, "refusals { resource: 'R' reason: 'why' }")),
       1,
       head + "a     default/g  42       42      0    refused  2023-11-14T22:13:20Z\na (default/g) refused R: why\n",
       {}},
      {"what left does not fail",
       {"status", "-o", "yaml"},
       proxies(Gone(Proxy("a", 40, 42))),
       0,
       "- node: a\n  gateway: default/g\n  running: \"40\"\n  wanted: \"42\"\n  lag: \"2\"\n  state: gone\n"
       "  since: \"2023-11-14T22:13:20Z\"\n  refusals: \"\"\n",
       {}},
      {"refused, for programs",
       {"status", "-o", "json"},
       proxies(Proxy("a", 42, 42, "refusals { resource: 'R' reason: 'why' } refusals { resource: 'S' reason: 'so' }")),
       1,
       "[\n  {\"node\": \"a\", \"gateway\": \"default/g\", \"running\": \"42\", \"wanted\": \"42\", \"lag\": \"0\", "
       "\"state\": "
       "\"refused\", \"since\": \"2023-11-14T22:13:20Z\", \"refusals\": \"a (default/g) refused R: why\\na (default/g) "
       "refused S: so\"}\n]\n",
       {}},
  });
}

}  // namespace
}  // namespace portico::ctl
