#include "tools/ctl/porticoctl.h"

#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "api/load/memory_files.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::ctl {
namespace {

using testing::HasSubstr;

class AcceptingChecker : public check::KeyPairChecker {
 public:
  absl::Status Check(std::string_view, std::string_view) const override { return absl::OkStatus(); }
};

const char kGoodFile[] = R"(kind: Gateway
metadata: {name: front}
spec:
  listeners:
  - {name: http, port: 8080, protocol: HTTP}
---
kind: Cluster
metadata: {name: shop}
spec:
  endpoints: [{address: 127.0.0.1, port: 9001}]
---
kind: AuthPolicy
metadata: {name: open}
spec:
  targetRefs: [{kind: Route, name: shop, sectionName: users}]
  authentication: {anyOf: [{anonymous: {}}]}
---
kind: AuthPolicy
metadata: {name: closed}
spec:
  targetRefs: [{kind: Gateway, name: front}]
  authentication: {anyOf: [{anonymous: {}}]}
  authorization: {defaultAction: Deny}
---
kind: Route
metadata: {name: shop}
spec:
  hostnames: [shop.example]
  rules:
  - name: users
    matches: [{path: {value: /users}}]
    filters: [{urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1}}}]
    backendRefs: [{name: shop}]
  - name: canary
    matches: [{path: {value: /users}, headers: [{name: x-canary, value: "1"}]}]
    backendRefs: [{name: shop}]
  - name: away
    matches: [{path: {value: /away}}]
    filters: [{requestRedirect: {scheme: https}}]
)";

const char kShadowed[] = R"(---
kind: Route
metadata: {name: shop-later}
spec:
  hostnames: [shop.example]
  rules:
  - matches:
    - {path: {value: /users}}
    backendRefs: [{name: shop}]
)";

const char kRest[] = R"(---
kind: Route
metadata: {name: rest}
spec:
  hostnames: [shop.example]
  rules:
  - backendRefs: [{name: shop}]
)";

const std::map<std::string, std::string> kFiles = {
    {"good.yaml", kGoodFile},
    {"warned.yaml", std::string(kGoodFile) + kShadowed},
    {"rest.yaml", std::string(kGoodFile) + kRest},
    {"folder/a.yaml", kGoodFile},
    {"folder/b.yaml", kShadowed},
    {"misspelt.yaml", "kind: Gateway\nmetadata: {name: front}\nspec:\n  listener: []\n"},
    {"dangling.yaml", std::string(kGoodFile) +
                          "---\nkind: Route\nmetadata: {name: r}\nspec:\n  rules:\n  - backendRefs: [{name: shopp}]\n"},
    {"regex.yaml", std::string(kGoodFile) +
                       "---\nkind: Route\nmetadata: {name: r}\nspec:\n  rules:\n  - matches:\n    - path: {type: "
                       "RegularExpression, value: \"/(a\"}\n    backendRefs: [{name: shop}]\n"},
    {"twice.yaml", std::string(kGoodFile) +
                       "---\nkind: Cluster\nmetadata: {name: shop}\nspec:\n  endpoints: [{address: 127.0.0.1, port: "
                       "9001}]\n"},
    {"secret.yaml", "kind: Secret\nmetadata: {name: s}\nspec:\n  jwks: {file: nowhere.json}\n"},
    {"alone.yaml", "kind: Route\nmetadata: {name: r}\nspec: {rules: [{filters: [{directResponse: {status: 200}}]}]}\n"},
};

struct Row {
  const char* name;
  std::vector<std::string> words;
  int code;
  std::vector<std::string> out;    // parts of it
  std::vector<std::string> error;  // parts of it; empty: nothing is printed there
};

void RunRows(const std::vector<Row>& rows) {
  load::MemoryFiles files(kFiles);
  const AcceptingChecker key_pairs;
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    std::ostringstream out;
    std::ostringstream error;
    std::istringstream in;
    const auto nobody = [](const ApiOptions&) { return std::unique_ptr<ApiClient>(); };
    EXPECT_EQ(Porticoctl(row.words, {out, error, files, key_pairs, in, nobody, nullptr}), row.code)
        << out.str() << error.str();
    for (const std::string& part : row.out)
      EXPECT_THAT(out.str(), HasSubstr(part));
    for (const std::string& part : row.error)
      EXPECT_THAT(error.str(), HasSubstr(part));
    if (row.error.empty()) EXPECT_EQ(error.str(), "");
  }
}

TEST(Porticoctl, Commands) {
  RunRows({
      {"nothing", {}, 2, {}, {"usage: porticoctl COMMAND"}},
      {"help", {"--help"}, 0, {"validate", "explain", "exit codes"}, {}},
      {"version", {"--version"}, 0, {"porticoctl 0."}, {}},
      {"unknown", {"validat"}, 2, {}, {"unknown command `validat`; did you mean `validate`?"}},
  });
}

TEST(Porticoctl, Usage) {
  RunRows({
      {"help", {"validate", "--help"}, 0, {"usage: porticoctl validate", "--strict"}, {}},
      {"help beside what is wrong otherwise", {"explain", "-h", "-f", "x"}, 0, {"usage: porticoctl explain"}, {}},
      {"no file", {"validate"}, 2, {}, {"-f (--file) is required"}},
      {"no value", {"validate", "-f"}, 2, {}, {"-f (--file) needs a value"}},
      {"empty value", {"validate", "--file="}, 2, {}, {"has an empty value"}},
      {"unknown flag", {"validate", "-f", "good.yaml", "--strickt"}, 2, {}, {"did you mean `--strict`?"}},
      {"unknown letter", {"validate", "-f", "good.yaml", "-x"}, 2, {}, {"unknown flag `-x`"}},
      {"argument", {"validate", "good.yaml"}, 2, {}, {"unexpected argument `good.yaml`"}},
      {"value for none", {"validate", "-f", "good.yaml", "--strict=1"}, 2, {}, {"--strict takes no value"}},
      {"twice", {"validate", "-f", "good.yaml", "-o", "json", "-ojson"}, 2, {}, {"is given twice"}},
      {"output", {"validate", "-f", "good.yaml", "-o", "xml"}, 2, {}, {"-o is table or json, not `xml`"}},
      {"files and a control plane",
       {"explain", "-f", "good.yaml", "--url", "http://x/", "--api_address=127.0.0.1:1"},
       2,
       {},
       {"-f asks no control plane"}},
      {"no url", {"explain", "-f", "good.yaml"}, 2, {}, {"--url is required"}},
      {"scheme", {"explain", "-f", "good.yaml", "--url", "ftp://x/"}, 2, {}, {"begins with http://"}},
      {"no scheme", {"explain", "-f", "good.yaml", "--url", "shop.example"}, 2, {}, {"begins with http://"}},
      {"host", {"explain", "-f", "good.yaml", "--url", "http://u@x/"}, 2, {}, {"no good host"}},
      {"target", {"explain", "-f", "good.yaml", "--url", "http://x/a b"}, 2, {}, {"percent-encoded"}},
      {"header", {"explain", "-f", "good.yaml", "--url", "http://x/", "-H", "x"}, 2, {}, {"`name: value`"}},
      {"method", {"explain", "-f", "good.yaml", "--url", "http://x/", "--method", "G T"}, 2, {}, {"no method"}},
  });
}

TEST(Porticoctl, Validate) {
  RunRows({
      {"good", {"validate", "-f", "good.yaml"}, 0, {"5 resources, good\n"}, {}},
      {"good and strict", {"validate", "--strict", "-fgood.yaml"}, 0, {"good"}, {}},
      {"warning",
       {"validate", "-f", "warned.yaml"},
       0,
       {"warned.yaml:47: spec.rules[0].matches[0]: warning: can never win: Route shop, rule ", "good, 1 warning\n"},
       {}},
      {"warning and strict", {"validate", "-f", "warned.yaml", "--strict"}, 1, {"can never win"}, {}},
      {"folder", {"validate", "-f", "folder"}, 0, {"folder/b.yaml:8: ", "6 resources"}, {}},
      {"several", {"validate", "-f", "folder/a.yaml", "-f", "folder/b.yaml"}, 0, {"6 resources, good, 1 warning"}, {}},
      {"no file", {"validate", "-f", "nothing.yaml"}, 1, {"nothing.yaml: ", "1 error\n"}, {}},
      {"misspelt",
       {"validate", "-f", "misspelt.yaml"},
       1,
       {"misspelt.yaml:4: spec: unknown field `listener`", "did you mean `listeners`"},
       {}},
      {"dangling",
       {"validate", "-f", "dangling.yaml"},
       1,
       {"dangling.yaml:45: spec.rules[0].backendRefs[0].name: ", "shopp"},
       {}},
      {"regex", {"validate", "-f", "regex.yaml"}, 1, {"regex.yaml:46: spec.rules[0].matches[0].path.value"}, {}},
      {"twice", {"validate", "-f", "twice.yaml"}, 1, {"there is a Cluster shop already, at twice.yaml:8"}, {}},
      {"no such file of a secret",
       {"validate", "-f", "secret.yaml"},
       1,
       {"secret.yaml:4: spec.jwks.file: no such file\n1 error\n"},
       {}},
      {"route alone", {"validate", "-f", "alone.yaml"}, 0, {"warning: attaches to no Gateway"}, {}},
      {"json",
       {"validate", "-o", "json", "-f", "warned.yaml"},
       0,
       {"{\"resources\": 6, \"findings\": [{\"severity\": \"warning\", \"file\": \"warned.yaml\", \"line\": 47, "},
       {}},
      {"json, good", {"validate", "--output=json", "-f", "good.yaml"}, 0, {"\"findings\": []}"}, {}},
  });
}

TEST(Porticoctl, Explain) {
  const std::string url = "http://shop.example:8080";
  RunRows({
      {"winner",
       {"explain", "-f", "good.yaml", "--url", url + "/users/7?a=b"},
       0,
       {"GET http://shop.example:8080/users/7?a=b\non Gateway front, listener http (port 8080)\n",
        "wins: Route default/shop, rule users, match 0 (PathPrefix /users, on shop.example)\n",
        "authentication: AuthPolicy open, from Route shop, rule users\n",
        "authorization: AuthPolicy closed, from Gateway front\n", "path for the origin: /v1/7\n",
        "backend: Cluster default/shop, weight 1 of 1\n",
        "rule canary, match 0 (PathPrefix /users, header x-canary = 1, on shop.example): it wants header x-canary = 1",
        "rule away, match 0 (PathPrefix /away, on shop.example): /users/7 is not PathPrefix /away"},
       {}},
      {"header",
       {"explain", "-f", "good.yaml", "--url", url + "/users", "-H", "X-Canary: 1"},
       0,
       {"wins: Route default/shop, rule canary",
        "rule users, match 0 (PathPrefix /users, on shop.example): the winner has "
        "more header conditions"},
       {}},
      {"host field",
       {"explain", "-f", "good.yaml", "--url", "http://127.0.0.1:8080/users", "-H", "Host: shop.example"},
       0,
       {"wins: Route default/shop, rule users"},
       {}},
      {"only port", {"explain", "-f", "good.yaml", "--url", "http://shop.example/users"}, 0, {"(port 8080)"}, {}},
      {"redirect",
       {"explain", "-f", "good.yaml", "--url", url + "/away/x"},
       0,
       {"redirect: 302 to https://shop.example/away/x"},
       {}},
      {"normal path", {"explain", "-f", "good.yaml", "--url", url + "//%75sers"}, 0, {"shop.example:8080/users\n"}, {}},
      {"none", {"explain", "-f", "good.yaml", "--url", url + "/nothing"}, 1, {"no rule agrees: 404", "loses:"}, {}},
      {"other host", {"explain", "-f", "good.yaml", "--url", "http://x:8080/users"}, 1, {"it is for shop.example"}, {}},
      {"dot segment", {"explain", "-f", "good.yaml", "--url", url + "/a/../users"}, 1, {}, {"400: the path has a dot"}},
      {"another reading",
       {"explain", "-f", "rest.yaml", "--url", url + "/users;x"},
       1,
       {},
       {"the proxy answers 400: Route default/rest, rule 0, match 0 wins, but an origin may read the path as one of "
        "Route default/shop, rule users, match 0, which has other policies"}},
      {"another reading of the same policies",
       {"explain", "-f", "rest.yaml", "--url", url + "/away;x"},
       0,
       {"wins: Route default/rest"},
       {}},
      {"last hop",
       {"explain", "-f", "good.yaml", "--url", url + "/users", "--method", "OPTIONS", "-H", "max-forwards: 0"},
       1,
       {},
       {"the proxy answers 204 itself: OPTIONS whose max-forwards has come to 0"}},
      {"last hop of a trace",
       {"explain", "-f", "good.yaml", "--url", url + "/users", "--method", "TRACE", "-H", "max-forwards: 0"},
       1,
       {},
       {"the proxy answers 405 itself"}},
      {"last hop without a rule",
       {"explain", "-f", "good.yaml", "--url", url + "/nothing", "--method", "OPTIONS", "-H", "max-forwards: 0"},
       1,
       {"no rule agrees: 404"},
       {}},
      {"other port",
       {"explain", "-f", "good.yaml", "--url", "http://shop.example:81/"},
       1,
       {},
       {"no listener for http on port 81; it has http on 8080"}},
      {"other scheme",
       {"explain", "-f", "good.yaml", "--url", "https://shop.example/"},
       1,
       {},
       {"no listener for https"}},
      {"gateway",
       {"explain", "-f", "good.yaml", "--url", url + "/users", "--gateway", "default/front"},
       0,
       {"wins"},
       {}},
      {"unknown gateway",
       {"explain", "-f", "good.yaml", "--url", url, "--gateway", "x"},
       1,
       {},
       {"there is no Gateway x; there are: default/front"}},
      {"no gateway", {"explain", "-f", "alone.yaml", "--url", url}, 1, {}, {"has no Gateway"}},
      {"bad file",
       {"explain", "-f", "misspelt.yaml", "--url", url},
       1,
       {},
       {"misspelt.yaml:4: spec: unknown field `listener`"}},
  });
}

TEST(Porticoctl, Fields) {
  RunRows({
      {"kinds",
       {"fields"},
       0,
       {"Gateway\n    Gateway: where requests arrive and what is true for all of them.\nRoute\n"},
       {}},
      {"a kind",
       {"fields", "routes"},
       0,
       {"Route: a kind\n    Route: which requests go where",
        "\nfields:\n  apiVersion: portico.dev/v1, or left out\n  kind: Route\n"
        "  metadata: Metadata\n  spec: RouteSpec\n  status: Status (written by the system)\n"},
       {}},
      {"a list of messages",
       {"fields", "Route.spec.rules[0].matches"},
       0,
       {"Route.spec.rules.matches: list of RouteMatch\n    The rule applies if any of these matches. Default: every "
        "path. At "
        "most 64.\n\nfields:\n  All that is given must match.\n  path: PathMatch\n      Default: PathPrefix \"/\".\n  "
        "headers: list of HeaderMatch\n"},
       {}},
      {"an enumeration, in snake_case",
       {"fields", "Gateway.spec.listeners.tls.mode"},
       0,
       {"Gateway.spec.listeners.tls.mode: Terminate | Passthrough\n    Default: Terminate.\n\nvalues:\n  Terminate\n   "
        "   TLS ends "
        "here.\n  Passthrough\n      Not supported yet.\n"},
       {}},
      {"snake_case and a map",
       {"fields", "route.metadata.labels"},
       0,
       {"Route.metadata.labels: map of text to text\n    Free keys"},
       {}},
      {"a number",
       {"fields", "Route.spec.parent_refs.port"},
       0,
       {"Route.spec.parentRefs.port: number\n    Only listeners"},
       {}},
      {"a duration",
       {"fields", "Route.spec.rules.timeouts.request"},
       0,
       {"request: duration, like 250ms or 1m30s\n"},
       {}},
      {"a time",
       {"fields", "Consumer.spec.credentials.apiKey.expires"},
       0,
       {"expires: time, like 2027-01-31T00:00:00Z\n"},
       {}},
      {"json", {"fields", "Composition.spec.steps.fallback"}, 0, {"fallback: any JSON\n"}, {}},
      {"of the system", {"fields", "Route.metadata.revision"}, 0, {"revision: number (written by the system)\n"}, {}},
      {"misspelt", {"fields", "Route.spec.rulez"}, 2, {}, {"Route.spec has no field `rulez`; did you mean `rules`?"}},
      {"unlike any",
       {"fields", "Route.spec.x"},
       2,
       {},
       {"Route.spec has no field `x`; it has parentRefs, hostnames, rules"}},
      {"below a text", {"fields", "Route.metadata.name.x"}, 2, {}, {"Route.metadata.name is no map of fields: text"}},
      {"no kind", {"fields", "Rout.spec"}, 2, {}, {"there is no kind `Rout`; did you mean `Route`?"}},
      {"two", {"fields", "Route", "Gateway"}, 2, {}, {"unexpected argument `Gateway`"}},
  });
}

TEST(Porticoctl, CompletionScripts) {
  RunRows({
      {"bash", {"completion", "bash"}, 0, {"complete -o default -F _porticoctl porticoctl\n"}, {}},
      {"zsh", {"completion", "zsh"}, 0, {"#compdef porticoctl\n"}, {}},
      {"fish", {"completion", "fish"}, 0, {"complete -c porticoctl -a"}, {}},
      {"another", {"completion", "tcsh"}, 2, {}, {"it takes bash, zsh or fish"}},
      {"none", {"completion"}, 2, {}, {"it takes bash, zsh or fish"}},
  });
}

}  // namespace
}  // namespace portico::ctl
