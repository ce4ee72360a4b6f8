// `porticoctl test` as tables: what a configuration decides, against what tests expect.
#include <map>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"
#include "tools/ctl/command_rows.h"

namespace portico::ctl::test {
namespace {

const char kShop[] = R"(kind: Gateway
metadata: {name: shop}
spec:
  listeners:
  - {name: http, port: 8080, protocol: HTTP}
  - {name: inner, port: 8081, protocol: HTTP, hostname: inner.example}
---
kind: Secret
metadata: {name: jwks}
spec: {jwks: {inline: '{"keys": [{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "1"}]}'}}
---
kind: Cluster
metadata: {name: product}
spec: {endpoints: [{address: 127.0.0.1, port: 9001}]}
---
kind: Cluster
metadata: {name: product-v2}
spec: {endpoints: [{address: 127.0.0.1, port: 9002}]}
---
kind: Consumer
metadata: {name: acme}
spec:
  groups: [partner]
  credentials: [{jwt: {issuer: "https://id.example", claims: {azp: acme}}}]
---
kind: Consumer
metadata: {name: other}
spec:
  groups: [staff]
  credentials: [{jwt: {issuer: "https://id.example", claims: {azp: other}}}]
---
kind: Consumer
metadata: {name: robot}
spec:
  groups: [partner]
  credentials: [{apiKey: {sha256: 2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b}}]
---
kind: Consumer
metadata: {name: robot, namespace: team}
spec: {groups: [partner], credentials: [{apiKey: {sha256: 3bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b}}]}
---
kind: AuthPolicy
metadata: {name: keys}
spec:
  targetRefs: [{kind: Route, name: shop, sectionName: machines}]
  authentication: {anyOf: [{apiKey: {extractFrom: {headers: [{name: x-api-key}]}}}]}
  authorization:
    defaultAction: Allow
    rules:
    - {name: no-removal, action: Deny, principal: {method: APIKey, groups: [partner]}, operation: {methods: [DELETE]}}
---
kind: AuthPolicy
metadata: {name: signed-in}
spec:
  targetRefs: [{kind: Gateway, name: shop}]
  authentication: {anyOf: [{jwt: {issuer: "https://id.example", audiences: [shop], jwks: {secretRef: {name: jwks}}}}]}
  authorization:
    defaultAction: Allow
    rules:
    - {name: partners-read, action: Deny, principal: {groups: [partner]}, operation: {methods: [POST, DELETE]}}
    - {name: no-admin, action: Deny, operation: {paths: [{value: /users/admin}]}}
---
kind: AuthPolicy
metadata: {name: people}
spec:
  targetRefs: [{kind: Route, name: shop, sectionName: history}]
  authorization:
    defaultAction: Deny
    rules:
    - {name: eva, action: Allow, principal: {subjects: [eva]}}
    - {name: writers, action: Allow, principal: {claims: {role: writer}}}
---
kind: AuthPolicy
metadata: {name: open}
spec:
  targetRefs: [{kind: Route, name: shop, sectionName: products}, {kind: Route, name: shop, sectionName: teapot}]
  authentication: {anyOf: [{anonymous: {}}]}
---
kind: Route
metadata: {name: shop}
spec:
  parentRefs: [{name: shop, sectionName: http}]
  rules:
  - name: products
    matches: [{path: {value: /products}, method: GET}]
    backendRefs: [{name: product, weight: 90}, {name: product-v2, weight: 10, port: 9002}, {name: product, weight: 0}]
  - name: users
    matches: [{path: {value: /users}}]
    filters: [{urlRewrite: {hostname: user.internal, path: {type: ReplacePrefixMatch, replacePrefixMatch: /v1}}}]
    backendRefs: [{name: product}]
  - name: history
    matches: [{path: {type: Exact, value: /history}}]
    backendRefs: [{name: product}]
  - name: teapot
    matches: [{path: {value: /teapot}}]
    filters: [{directResponse: {status: 418}}]
  - matches: [{path: {value: /away}, headers: [{name: x-away, value: "1"}]}]
    filters: [{requestRedirect: {scheme: https, port: 8443}}]
  - name: machines
    matches: [{path: {value: /machines}}]
    backendRefs: [{name: product}]
  - name: secret
    matches: [{path: {type: Exact, value: /products/secret}}]
    backendRefs: [{name: product}]
)";

// A file of one test: its line of expectations is the last.
std::string One(const std::string& request, const std::string& identity, const std::string& expect) {
  return "tests:\n- name: it\n  request: " + request + "\n" +
         (identity.empty() ? std::string() : "  identity: " + identity + "\n") + "  expect: " + expect + "\n";
}

struct CaseRow {
  const char* name;
  std::string request;
  std::string identity;
  std::string expect;
  std::string got;  // the line of what does not hold; "": all holds
};

void RunCases(const std::vector<CaseRow>& cases) {
  for (const CaseRow& row : cases) {
    SCOPED_TRACE(row.name);
    const World world{{{"shop.yaml", kShop}, {"t.yaml", One(row.request, row.identity, row.expect)}}};
    const std::string line = base::Concat("t.yaml:", row.identity.empty() ? 4 : 5, ": ", row.got, "\n");
    const bool good = row.got.empty();
    RunRows({{row.name,
              {"test", "-f", "shop.yaml", "-t", "t.yaml"},
              {},
              good ? 0 : 1,
              good ? "ok    it\n1 passed, 0 failed\n" : "FAIL  it\n      " + line + "0 passed, 1 failed\n",
              {}}},
            world);
  }
}

// Each expectation that holds, beside one that does not.
TEST(Test, Matcher) {
  const std::string products = "{url: 'http://shop.example:8080/products/1?a=b'}";
  const std::string away = "{url: 'http://shop.example:8080/away/x?a=b', headers: [{name: X-Away, value: '1'}]}";
  const std::string eva = "{subject: eva}";
  RunCases({
      {"route and rule", products, "", "{route: shop, rule: products, listener: http}", ""},
      {"whole name of a route", products, "", "{route: default/shop}", ""},
      {"another route", products, "", "{route: shopp}", "route: expected shopp, got default/shop"},
      {"another namespace", products, "", "{route: other/shop}", "route: expected other/shop, got default/shop"},
      {"another rule", products, "", "{rule: users}", "rule: expected users, got products"},
      {"a rule by its place", away, eva, "{rule: '4'}", ""},
      {"a rule at another place", away, eva, "{rule: '3'}", "rule: expected 3, got 4"},
      {"another listener", products, "", "{listener: inner}", "listener: expected inner, got http"},
      {"no rule", "{host: 'shop.example:8080', path: /nothing}", "", "{route: none, status: 404}", ""},
      {"a rule where none is expected", products, "", "{route: none}", "route: expected none, got default/shop"},
      {"no rule where one is expected", "{host: 'shop.example:8080', path: /nothing}", "", "{rule: products}",
       "rule: expected products, got none (no rule agrees)"},
      {"no listener", "{url: 'http://else.example:8081/'}", "", "{status: 404, route: none}", ""},
      {"method", "{method: POST, url: 'http://shop.example:8080/products'}", "", "{status: 404}", ""},
      {"a path that is refused", "{url: 'http://shop.example:8080/a/../b'}", "", "{status: 400}", ""},
      {"a way around other policies", "{url: 'http://shop.example:8080/products/secret;x'}", "", "{status: 400}", ""},
      {"last hop",
       "{method: OPTIONS, url: 'http://shop.example:8080/users', headers: [{name: max-forwards, value: '0'}]}", "",
       "{status: 204}", ""},
  });
}

TEST(Test, Answers) {
  const std::string products = "{url: 'http://shop.example:8080/products/1?a=b'}";
  const std::string users = "{url: 'http://shop.example:8080/users/7?a=b'}";
  const std::string away = "{url: 'http://shop.example:8080/away/x?a=b', headers: [{name: x-away, value: '1'}]}";
  const std::string eva = "{subject: eva}";
  RunCases({
      {"backends", products, "", "{backends: [{name: product-v2}, {name: product}], status: 0}", ""},
      {"backends by weight and port", products, "",
       "{backends: [{kind: Cluster, weight: 90}, {name: default/product-v2, port: 9002}]}", ""},
      {"one wants what the other may have", products, "", "{backends: [{kind: Cluster}, {name: product}]}", ""},
      {"too few backends", products, "", "{backends: [{name: product}]}",
       "backends: expected product, got Cluster default/product (weight 90), Cluster default/product-v2:9002 (weight "
       "10)"},
      {"another weight", products, "", "{backends: [{name: product, weight: 91}, {name: product-v2}]}",
       "backends: expected product (weight 91), product-v2, got Cluster default/product (weight 90), Cluster "
       "default/product-v2:9002 (weight 10)"},
      {"another kind", users, eva, "{backends: [{kind: Composition, name: product}]}",
       "backends: expected Composition product, got Cluster default/product (weight 1)"},
      {"rewritten", users, eva, "{rewrittenPath: /v1/7, rewrittenHost: user.internal, status: 0}", ""},
      {"not rewritten", products, "", "{rewrittenPath: /products/1, rewrittenHost: 'shop.example:8080'}", ""},
      {"rewritten otherwise", users, eva, "{rewrittenPath: /users/7}", "rewrittenPath: expected /users/7, got /v1/7"},
      {"another host", users, eva, "{rewrittenHost: shop.example}",
       "rewrittenHost: expected shop.example, got user.internal"},
      {"redirect", away, eva, "{status: 302, location: 'https://shop.example:8443/away/x?a=b'}", ""},
      {"redirected elsewhere", away, eva, "{location: 'https://shop.example/'}",
       "location: expected https://shop.example/, got https://shop.example:8443/away/x?a=b"},
      {"direct response", "{url: 'http://shop.example:8080/teapot'}", "", "{status: 418}", ""},
      {"a backend where none is expected", products, "", "{status: 418}",
       "status: expected 418, got 0: a backend is asked"},
  });
}

TEST(Test, Policies) {
  const std::string users = "{url: 'http://shop.example:8080/users'}";
  const std::string removal = "{method: DELETE, url: 'http://shop.example:8080/users'}";
  const std::string history = "{url: 'http://shop.example:8080/history'}";
  RunCases({
      {"nobody", users, "", "{status: 401, deniedBy: {policy: signed-in}}", ""},
      {"nobody, said so", users, "{method: Anonymous}", "{status: 401}", ""},
      {"nobody where a backend is expected", users, "", "{backends: [{name: product}]}",
       "backends: expected product, got none (no credentials)"},
      {"another status", users, "", "{status: 0}", "status: expected 0: a backend is asked, got 401 (no credentials)"},
      {"nobody where everybody may", "{url: 'http://shop.example:8080/products'}", "", "{status: 0}", ""},
      {"somebody", users, "{method: JWT, subject: eva, issuer: 'https://id.example'}", "{status: 0}", ""},
      {"the only issuer", users, "{claims: {azp: x}}", "{status: 0}", ""},
      {"another issuer", users, "{subject: eva, issuer: 'https://else.example'}", "{status: 401}", ""},
      {"a Consumer by its claims", removal, "{claims: {azp: acme}}",
       "{status: 403, deniedBy: {policy: default/signed-in, rule: partners-read}}", ""},
      {"a Consumer of another group", removal, "{claims: {azp: other}}", "{status: 0}", ""},
      {"a Consumer by its name", removal, "{method: JWT, consumer: acme}", "{deniedBy: {rule: partners-read}}", ""},
      {"a Consumer of another namespace, whose groups are not ours", removal, "{method: JWT, consumer: team/robot}",
       "{status: 0}", ""},
      {"a group", removal, "{method: JWT, groups: [partner]}", "{deniedBy: {rule: partners-read}}", ""},
      {"a method that they may", users, "{claims: {azp: acme}}", "{status: 0}", ""},
      {"by default", history, "{subject: tom}", "{status: 403, deniedBy: {policy: people, rule: default}}", ""},
      {"by subject", history, "{subject: eva}", "{status: 0}", ""},
      {"by one of a claim's list", history, "{claims: {role: [reader, writer]}}", "{status: 0}", ""},
      {"another policy", history, "{subject: tom}", "{deniedBy: {policy: signed-in}}",
       "deniedBy.policy: expected signed-in, got default/people"},
      {"another rule", history, "{subject: tom}", "{deniedBy: {rule: eva}}",
       "deniedBy.rule: expected eva, got default"},
      {"nobody denies it", history, "{subject: eva}", "{deniedBy: {policy: people}}",
       "deniedBy.policy: expected people, got none"},
      {"another reading of a path that is denied", "{url: 'http://shop.example:8080/users/admin;x/y'}",
       "{subject: eva}", "{status: 403, deniedBy: {rule: no-admin}}", ""},
  });
}

TEST(Test, Keys) {
  const std::string machines = "{url: 'http://shop.example:8080/machines'}";
  const std::string removal = "{method: DELETE, url: 'http://shop.example:8080/machines'}";
  RunCases({
      {"nobody", machines, "", "{status: 401, deniedBy: {policy: keys}}", ""},
      {"a token where keys are wanted", machines, "{subject: eva}", "{status: 401}", ""},
      {"a key", machines, "{method: APIKey, consumer: robot}", "{rule: machines, status: 0}", ""},
      {"what its Consumer may not", removal, "{method: APIKey, consumer: robot}",
       "{status: 403, deniedBy: {policy: keys, rule: no-removal}}", ""},
      {"of who has none", machines, "{method: APIKey, consumer: acme}", "{status: 401}", ""},
      {"of another namespace", machines, "{method: APIKey, consumer: team/robot}", "{status: 0}",
       "status: expected 0: a backend is asked, got 401 (no key of team/robot is taken)"},
      {"where tokens are wanted", "{url: 'http://shop.example:8080/users'}", "{method: APIKey, consumer: robot}",
       "{status: 401}", ""},
      {"where everybody may", "{url: 'http://shop.example:8080/products'}", "{method: APIKey, consumer: robot}",
       "{status: 0}", ""},
  });
}

// What cannot be asked is said where the test begins.
TEST(Test, CannotBeAsked) {
  struct Failure {
    const char* name;
    std::string request;
    std::string identity;
    std::string why;
  };
  const std::string users = "{url: 'http://shop.example:8080/users'}";
  const std::vector<Failure> failures = {
      {"whose key", "{url: 'http://shop.example:8080/machines'}", "{method: APIKey}",
       "identity.consumer must say whose key it is"},
      {"no such Consumer", users, "{method: JWT, consumer: nobody}", "identity.consumer: there is no Consumer nobody"},
      {"no such port", "{url: 'http://shop.example:81/'}", "",
       "Gateway shop has no listener for http on port 81; it has http on 8080, http on 8081"},
      {"which port", "{url: 'http://shop.example/'}", "",
       "several listeners take http, name a port in the URL: http on 8080, http on 8081"},
  };
  for (const Failure& row : failures) {
    SCOPED_TRACE(row.name);
    RunRows({{row.name,
              {"test", "-f", "shop.yaml", "-t", "t.yaml"},
              {},
              1,
              base::Concat("FAIL  it\n      t.yaml:2: ", row.why, "\n0 passed, 1 failed\n"),
              {}}},
            {{{"shop.yaml", kShop}, {"t.yaml", One(row.request, row.identity, "{status: 404}")}}});
  }
}

// What is wrong with a file of tests, by line and field.
TEST(Test, Refused) {
  struct Refusal {
    const char* name;
    std::string tests;
    std::string error;
  };
  const std::string url = "{url: 'http://x/'}";
  const std::vector<Refusal> refusals = {
      {"nothing", "", "t.yaml: has no tests"},
      {"no tests", "gateway: shop\n", "t.yaml:1:1: tests: is missing"},
      {"misspelt", One(url, "", "{rout: x}"),
       "t.yaml:4:12: tests[0].expect: unknown field `rout`; did you mean `route`?"},
      {"no name", "tests:\n- request: {url: 'http://x/'}\n  expect: {rule: a}\n",
       "t.yaml:2:3: tests[0].name: is required"},
      {"a name twice", One(url, "", "{rule: a}") + "- {name: it, request: {url: 'http://x/'}, expect: {rule: a}}\n",
       "t.yaml:5:4: tests[1].name: there is a test `it` already"},
      {"a name twice, in two documents", One(url, "", "{rule: a}") + "---\n" + One(url, "", "{rule: a}"),
       "t.yaml:7:3: tests[0].name: there is a test `it` already"},
      {"no expectation", One(url, "", "{}"), "t.yaml:4:3: tests[0].expect: is missing, or says nothing"},
      {"no request", One("{}", "", "{rule: a}"), "t.yaml:3:3: tests[0].request: has either `url`, or `host`"},
      {"url and host", One("{url: 'http://x/', host: x}", "", "{rule: a}"), "tests[0].request: has either `url`"},
      {"path alone", One("{path: /x}", "", "{rule: a}"), "tests[0].request: has either `url`"},
      {"a bad url", One("{url: x}", "", "{rule: a}"), "t.yaml:3:3: tests[0].request: the URL begins with http://"},
      {"a bad header", One("{host: x, headers: [{name: 'a b'}]}", "", "{rule: a}"), "a header is `name: value`"},
      {"a bad method", One("{host: x, method: 'G T'}", "", "{rule: a}"), "`G T` is no method"},
      {"a method of identity", One(url, "{method: Basic}", "{rule: a}"), "t.yaml:4:"},
      {"claims", One(url, "{claims: [1]}", "{rule: a}"), "tests[0].identity.claims: must be a map"},
      {"a kind", One(url, "", "{backends: [{kind: Service}]}"), "`Service` is neither Cluster nor Composition"},
      {"no YAML", "tests: [", "t.yaml:1:"},
  };
  for (const Refusal& row : refusals) {
    SCOPED_TRACE(row.name);
    RunRows({{row.name, {"test", "-f", "shop.yaml", "-t", "t.yaml"}, {}, 2, "", {row.error}}},
            {{{"shop.yaml", kShop}, {"t.yaml", row.tests}}});
  }
}

TEST(Test, Command) {
  const std::string good = "tests:\n- {name: a, request: {url: 'http://x:8080/teapot'}, expect: {status: 418}}\n";
  const std::string bad =
      "gateway: default/shop\ntests:\n- name: b\n  request: {url: 'http://x:8080/teapot'}\n"
      "  expect:\n    rule: users\n    status: 200\n";
  RunRows(
      {
          {"both",
           {"test", "-f", "shop.yaml", "-t", "good.yaml", "-t", "bad.yaml"},
           {},
           1,
           "ok    a\nFAIL  b\n      bad.yaml:6: rule: expected users, got teapot\n"
           "      bad.yaml:7: status: expected 200, got 418\n1 passed, 1 failed\n",
           {}},
          {"json",
           {"test", "-f", "shop.yaml", "-t", "good.yaml", "-t", "bad.yaml", "-o", "json"},
           {},
           1,
           "{\"passed\": 1, \"failed\": 1, \"tests\": [\n"
           "  {\"name\": \"a\", \"file\": \"good.yaml\", \"line\": 2, \"passed\": true, \"mismatches\": []},\n"
           "  {\"name\": \"b\", \"file\": \"bad.yaml\", \"line\": 3, \"passed\": false, \"mismatches\": ["
           "{\"field\": \"rule\", \"line\": 6, \"expected\": \"users\", \"got\": \"teapot\"}, "
           "{\"field\": \"status\", \"line\": 7, \"expected\": \"200\", \"got\": \"418\"}]}\n]}\n",
           {}},
          {"no tests file", {"test", "-f", "shop.yaml"}, {}, 2, "", {"-t (--tests) is required"}},
          {"no such tests", {"test", "-f", "shop.yaml", "-t", "no.yaml"}, {}, 2, "", {"no.yaml: no such file"}},
          {"no such configuration", {"test", "-f", "no.yaml", "-t", "good.yaml"}, {}, 2, "", {"no.yaml: "}},
          {"output", {"test", "-f", "shop.yaml", "-t", "good.yaml", "-o", "yaml"}, {}, 2, "", {"-o is table or json"}},
          {"another gateway",
           {"test", "-f", "shop.yaml", "-t", "other.yaml"},
           {},
           2,
           "",
           {"there is no Gateway other"}},
          {"a bad configuration",
           {"test", "-f", "bad-shop.yaml", "-t", "good.yaml"},
           {},
           2,
           "",
           {"bad-shop.yaml:3: spec: unknown field"}},
      },
      {{{"shop.yaml", kShop},
        {"good.yaml", good},
        {"bad.yaml", bad},
        {"other.yaml", "gateway: other\n" + good},
        {"bad-shop.yaml", "kind: Gateway\nmetadata: {name: x}\nspec: {listener: []}\n"}}});
}

}  // namespace
}  // namespace portico::ctl::test
