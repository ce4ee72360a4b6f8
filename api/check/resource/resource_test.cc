#include "api/check/resource/resource.h"

#include <string>

#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

std::string Check(const std::string& kind, const std::string& spec) {
  yaml::Problems problems(10);
  std::string all;
  for (const auto& document : yaml::ReadText("kind: " + kind + "\nmetadata: {name: x}\nspec: {" + spec + "}\n", "f",
                                             yaml::Limits(), problems)) {
    for (const Violation& violation : CheckResource(document.resource, {}))
      all += violation.path + " " + violation.message + "\n";
  }
  return problems.ToString() + all;
}

TEST(CheckResource, OneRowForEachRule) {
  const auto match = [](const std::string& text) {
    return "rules: [{backendRefs: [{name: b}], matches: [{" + text + "}]}]";
  };
  const auto filter = [](const std::string& text) { return "rules: [{filters: [{" + text + "}]}]"; };
  const struct {
    const char* kind;
    std::string spec;
    std::string expected;  // the beginning; "": accepted
  } kRows[] = {
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}",
       ""},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{anonymous: {}}]}",
       ""},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny}",
       ""},
      {"AuthPolicy", "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}",
       "spec.targetRefs must have 1 to 16 items"},
      {"AuthPolicy",
       "targetRefs: [{kind: Cluster, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}",
       "spec.targetRefs[0].kind must be Gateway or Route"},
      {"AuthPolicy", "targetRefs: [{kind: Gateway, name: g}]", "spec must say authentication"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: []}",
       "spec.authentication.anyOf must have 1 to 8 items"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{}]}",
       "spec.authentication.anyOf[0] must hold exactly one"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{anonymous: {}}, {anonymous: {}}]}",
       "spec.authentication.anyOf[1].anonymous is there already"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {audiences: [a], jwks: {secretRef: {name: s}}}}]}",
       "spec.authentication.anyOf[0].jwt.issuer is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, jwks: {secretRef: {name: s}}}}]}",
       "spec.authentication.anyOf[0].jwt.audiences must have 1 to 16"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [''], jwks: {secretRef: {name: s}}}}]}",
       "spec.authentication.anyOf[0].jwt.audiences[0] must be 1 to 1024 bytes"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a]}}]}",
       "spec.authentication.anyOf[0].jwt.jwks is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], clockSkew: 11m, jwks: {secretRef: {name: s}}}}]}",
       "spec.authentication.anyOf[0].jwt.clockSkew must be 0s to 10m"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {}",
       "spec.authorization.defaultAction is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{action: Allow}]}",
       "spec.authorization.rules[0].name is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a}]}",
       "spec.authorization.rules[0].action is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny}, {name: a, action: Deny}]}",
       "spec.authorization.rules[1].name is the name of another"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny, operation: {methods: [get]}}]}",
       "spec.authorization.rules[0].operation.methods[0] must be GET"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny, operation: {hosts: [A]}}]}",
       "spec.authorization.rules[0].operation.hosts[0] must be"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny, operation: {paths: [{value: a}]}}]}",
       "spec.authorization.rules[0].operation.paths[0].value must begin"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny, principal: {method: Anonymous, subjects: "
       "[x]}}]}",
       "spec.authorization.rules[0].principal.method is Anonymous"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny, rules: [{name: a, action: Deny, principal: {groups: ['']}}]}",
       "spec.authorization.rules[0].principal.groups[0] must be 1 to 63 bytes"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authorization: {defaultAction: Deny}, identityToHeaders: [{identity: Subject, header: x}]",
       "spec.identityToHeaders goes with authentication"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{header: x}]",
       "spec.identityToHeaders[0].identity is missing"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{identity: Claim, header: x}]",
       "spec.identityToHeaders[0].claim is for identity Claim"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{identity: Subject, header: x, claim: y}]",
       "spec.identityToHeaders[0].claim is for identity Claim"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{identity: Subject, header: Host}]",
       "spec.identityToHeaders[0].header is a field of the connection"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{identity: Subject, header: 'a b'}]",
       "spec.identityToHeaders[0].header must be the name"},
      {"AuthPolicy",
       "targetRefs: [{kind: Gateway, name: g}], "
       "authentication: {anyOf: [{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}]}"
       ", identityToHeaders: [{identity: Subject, header: x}, {identity: Consumer, header: X}]",
       "spec.identityToHeaders[1].header is that of another"},
      {"Route", match("path: {value: /a}, method: GET"), ""},
      {"Route", "", "spec.rules must have 1 to 256 items"},
      {"Route", "rules: [{name: a, backendRefs: [{name: b}]}, {name: a, backendRefs: [{name: b}]}]",
       "spec.rules[1].name is the name of another rule"},
      {"Route", "hostnames: [A.b], rules: [{backendRefs: [{name: b}]}]", "spec.hostnames[0] must be a DNS name"},
      {"Route", "hostnames: ['*.a.b'], rules: [{backendRefs: [{name: b}]}]", ""},
      {"Route", match("path: {value: a}"), "spec.rules[0].matches[0].path.value must begin with /"},
      {"Route", match("path: {value: /a//b}"), "spec.rules[0].matches[0].path.value must not hold //"},
      {"Route", match("path: {value: /a%2Fb}"), "spec.rules[0].matches[0].path.value must not hold an encoded slash"},
      {"Route", match("path: {value: /a/../b}"), "spec.rules[0].matches[0].path.value must not hold the segments"},
      {"Route", match("path: {type: RegularExpression, value: '('}"),
       "spec.rules[0].matches[0].path.value is no RE2 expression: missing )"},
      {"Route", match("path: {type: RegularExpression, value: '(((a{100}){100}){100})'}"),
       "spec.rules[0].matches[0].path.value is no RE2 expression"},
      {"Route", match("method: get"), "spec.rules[0].matches[0].method must be GET"},
      {"Route", match("headers: [{name: 'a b', value: c}]"), "spec.rules[0].matches[0].headers[0].name must be"},
      {"Route", match("headers: [{type: RegularExpression, name: a, value: '['}]"),
       "spec.rules[0].matches[0].headers[0].value is no RE2"},
      {"Route", match("queryParams: [{value: b}]"), "spec.rules[0].matches[0].queryParams[0].name is missing"},
      {"Route", filter("type: URLRewrite"), "spec.rules[0].filters[0] must hold exactly one filter"},
      {"Route", filter("requestHeaderModifier: {set: [{name: Host, value: a}]}"),
       "spec.rules[0].filters[0].requestHeaderModifier.set[0].name is a field of the connection"},
      {"Route", filter("responseHeaderModifier: {remove: [transfer-encoding]}"),
       "spec.rules[0].filters[0].responseHeaderModifier.remove[0] is a field of the connection"},
      {"Route", "rules: [{backendRefs: [{name: b}], timeouts: {request: 1s, backendRequest: 2s}}]",
       "spec.rules[0].timeouts.backendRequest must"},
      {"Route", "rules: [{backendRefs: [{name: b}], timeouts: {request: 100ms, backendRequest: 500ms}}]",
       "spec.rules[0].timeouts.backendRequest must"},
      {"Route", "rules: [{backendRefs: [{name: b}], timeouts: {request: 1s, backendRequest: 1500ms}}]",
       "spec.rules[0].timeouts.backendRequest must"},
      {"Route", "rules: [{backendRefs: [{name: b}], timeouts: {request: 1500ms, backendRequest: 1500ms}}]", ""},
      {"Route", "rules: [{backendRefs: [{name: b}], timeouts: {request: 0s, backendRequest: 500ms}}]", ""},
      {"Route", "rules: [{backendRefs: [{name: b}], retry: {}}]", "spec.rules[0].retry is not supported yet"},
      {"Cluster", "", "spec.endpoints must have 1 to 1000 items"},
      {"Cluster", "endpoints: [{address: '::1', port: 0}]", "spec.endpoints[0].port must be 1 to 65535"},
      {"Cluster", "endpoints: [{port: 1}]", "spec.endpoints[0].address is missing"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}]", ""},
      {"Gateway", "listeners: [{name: a, port: 1}]", "spec.listeners[0].protocol is missing"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTPS}]",
       "spec.listeners[0].tls is missing: HTTPS needs certificateRefs"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP, tls: {certificateRefs: [{name: a}]}}]",
       "spec.listeners[0].tls is for"},
      {"Secret", "", "spec must hold exactly one of"},
  };
  for (const auto& row : kRows) {
    const std::string found = Check(row.kind, row.spec);
    EXPECT_EQ(found.substr(0, row.expected.size()), row.expected) << row.spec;
    EXPECT_EQ(found.empty(), row.expected.empty()) << row.spec << ": " << found;
  }
}

}  // namespace
}  // namespace portico::check
