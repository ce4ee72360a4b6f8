#include "api/check/resource/resource.h"

#include <string>

#include "api/base/text.h"
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
  const auto filtered = [](const std::string& text) {
    return "rules: [{backendRefs: [{name: b}], filters: [{" + text + "}]}]";
  };
  const std::string cors = "spec.rules[0].filters[0].cors";
  const auto any_of = [](const std::string& text) {
    return "targetRefs: [{kind: Gateway, name: g}], authentication: {anyOf: [" + text + "]}";
  };
  const auto by_key = [](const std::string& text) {
    return "targetRefs: [{kind: Gateway, name: g}], authorization: {defaultAction: Deny, rules: [{name: a, action: "
           "Allow, principal: {method: APIKey, " +
           text + "}}]}";
  };
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
      {"CachePurge", "targetRef: {kind: Route, name: r}, at: '2026-01-01T00:00:00Z'",
       "spec.targetRef.kind must be Gateway"},
      {"CachePurge", "targetRef: {kind: Gateway, name: g, sectionName: s}, at: '2026-01-01T00:00:00Z'",
       "spec.targetRef.sectionName must be left out: a purge is of the whole Gateway"},
      {"CachePurge", "targetRef: {kind: Gateway, name: g}, pathPrefix: a, at: '2026-01-01T00:00:00Z'",
       "spec.pathPrefix must begin with /"},
      {"CachePurge", "targetRef: {kind: Gateway, name: g}, pathPrefix: /a/../b, at: '2026-01-01T00:00:00Z'",
       "spec.pathPrefix must not hold the segments . and .."},
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
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {headers: [{name: x-api-key}]}}}, {anonymous: {}}"), ""},
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {headers: [{name: authorization}]}}}"), ""},
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {}}}"),
       "spec.authentication.anyOf[0].apiKey.extractFrom must name a header, a cookie or a query parameter"},
      {"AuthPolicy",
       any_of("{apiKey: {extractFrom: {headers: [{name: a}]}}}, {apiKey: {extractFrom: {headers: [{name: "
              "b}]}}}"),
       "spec.authentication.anyOf[1].apiKey is there already"},
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {headers: [{name: a}]}}, anonymous: {}}"),
       "spec.authentication.anyOf[0] must hold exactly one of jwt, apiKey and anonymous"},
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {headers: [{name: a}, {name: Connection}]}}}"),
       "spec.authentication.anyOf[0].apiKey.extractFrom.headers[1].name is a field of the connection or of framing"},
      {"AuthPolicy", any_of("{apiKey: {extractFrom: {headers: [{name: Cookie}]}}}"),
       "spec.authentication.anyOf[0].apiKey.extractFrom.headers[0].name holds many: name the cookie"},
      {"AuthPolicy",
       any_of("{apiKey: {extractFrom: {headers: [{name: Authorization}]}}}, "
              "{jwt: {issuer: i, audiences: [a], jwks: {secretRef: {name: s}}}}"),
       "spec.authentication.anyOf[0].apiKey.extractFrom.headers[0].name is where the tokens of anyOf stand"},
      {"AuthPolicy", by_key("groups: [g]"), ""},
      {"AuthPolicy", by_key("subjects: [s]"), "spec.authorization.rules[0].principal.method is APIKey, whose callers"},
      {"AuthPolicy", by_key("claims: {a: b}"), "spec.authorization.rules[0].principal.method is APIKey, whose callers"},
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
      {"Route", match("path: {value: /a/%2E%2e/b}"), "spec.rules[0].matches[0].path.value must not hold the segments"},
      {"Route", match("path: {value: '/a/..;x/b'}"), "spec.rules[0].matches[0].path.value must not hold the segments"},
      {"Route", match("path: {value: /a/.b/c..}"), ""},
      {"Route", match("path: {value: /100%}"),
       "spec.rules[0].matches[0].path.value must have two hexadecimal digits after each %"},
      {"Route", match("path: {value: /a%4}"), "spec.rules[0].matches[0].path.value must have two hexadecimal digits"},
      {"Route", match("path: {value: /a%zz/b}"),
       "spec.rules[0].matches[0].path.value must have two hexadecimal digits"},
      {"Route", match("path: {value: /a%00}"), "spec.rules[0].matches[0].path.value must not hold an encoded NUL"},
      {"Route", match("path: {value: /a%20b}"), ""},
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
      {"Route", "rules: [{backendRefs: [{name: b}], sessionPersistence: {}}]",
       "spec.rules[0].sessionPersistence is not supported yet"},
      {"Route", "rules: [{backendRefs: [{name: b}], retry: {}}]", ""},
      {"Route", "rules: [{filters: [{directResponse: {status: 200}}], retry: {}}]",
       "spec.rules[0].retry must be left out: a filter answers"},
      {"Route", "rules: [{filters: [{requestRedirect: {port: 1}}], retry: {}}]",
       "spec.rules[0].retry must be left out: a filter answers"},
      {"Route", "rules: [{backendRefs: [{name: b}, {name: c, kind: Composition}], retry: {}}]",
       "spec.rules[0].retry is for Clusters, but backendRefs[1] is a Composition"},
      {"Route", filtered("cors: {allowOrigins: ['*'], allowCredentials: true}"), ""},
      {"Route", filtered("cors: {allowOrigins: ['*', 'https://a']}"), cors + ".allowOrigins has * and more"},
      {"Route", filtered("cors: {allowMethods: [GET, '*']}"), cors + ".allowMethods has * and more"},
      {"Route", filtered("cors: {allowHeaders: ['*', a]}"), cors + ".allowHeaders has * and more"},
      {"Route", filtered("cors: {exposeHeaders: ['*', a]}"), cors + ".exposeHeaders has * and more"},
      {"Route", filtered("cors: {exposeHeaders: ['*']}"), ""},
      {"Route", filtered("cors: {exposeHeaders: ['*'], allowCredentials: true}"),
       cors + ".exposeHeaders has *, which browsers take for a name"},
      {"Route", filtered("cors: {}}, {cors: {}"), "spec.rules[0].filters[1] cors is there already"},
      {"Route", "rules: [{backendRefs: [{name: b}], requestContentBytesMax: 0}]", ""},
      {"Cluster", "", "spec must hold exactly one of endpoints, dns and endpointsFrom"},
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

// A rule with one filter list and whatever else is given.
std::string Filters(const std::string& filters, const std::string& more = ", backendRefs: [{name: b}]") {
  return "rules: [{filters: [" + filters + "]" + more + "}]";
}

TEST(CheckResource, FieldsOfARouteThatMustAgree) {
  const std::string at = "spec.rules[0].filters[0]";
  const std::string full = "{urlRewrite: {path: {replaceFullPath: /}}}";
  const std::string redirect = "{requestRedirect: {scheme: https}}";
  const std::string answer = "{directResponse: {status: 200}}";
  const auto path = [](const std::string& text) { return Filters("{urlRewrite: {path: {" + text + "}}}"); };
  const auto edits = [](const std::string& text) { return Filters("{requestHeaderModifier: {" + text + "}}"); };
  const auto prefix = [](const std::string& matches) {
    return Filters("{urlRewrite: {path: {replacePrefixMatch: /}}}",
                   ", backendRefs: [{name: b}], matches: [" + matches + "]");
  };
  const struct {
    std::string spec;
    std::string expected;  // all of it; "": accepted
  } kRows[] = {
      {Filters("{type: URLRewrite, urlRewrite: {hostname: a}}"), ""},
      {Filters("{type: RequestHeaderModifier, requestHeaderModifier: {}}, {type: ResponseHeaderModifier, "
               "responseHeaderModifier: {}}"),
       ""},
      {Filters("{type: RequestRedirect, requestRedirect: {}}", ""), ""},
      {Filters("{type: DirectResponse, directResponse: {status: 200}}", ""), ""},
      {Filters("{type: RequestRedirect, urlRewrite: {hostname: a}}"),
       at + ".type is RequestRedirect, but urlRewrite is set\n"},
      {Filters("{type: URLRewrite}"), at + " must hold exactly one filter\n"},
      {Filters("{urlRewrite: {}, requestHeaderModifier: {}}"), at + " must hold exactly one filter\n"},
      {Filters(full + ", {requestHeaderModifier: {}}, " + full),
       "spec.rules[0].filters[2] urlRewrite is there already, in filters[0]\n"},
      {Filters("{requestHeaderModifier: {}}, {requestHeaderModifier: {}}"),
       "spec.rules[0].filters[1] requestHeaderModifier is there already, in filters[0]\n"},
      {Filters("{responseHeaderModifier: {}}, {responseHeaderModifier: {}}"),
       "spec.rules[0].filters[1] responseHeaderModifier is there already, in filters[0]\n"},
      {Filters(redirect + ", " + redirect, ""),
       "spec.rules[0].filters[1] requestRedirect is there already, in filters[0]\n"},
      {Filters(redirect + ", " + full, ""),
       "spec.rules[0].filters[1] urlRewrite cannot stand beside requestRedirect in filters[0]\n"},
      {Filters(full + ", " + redirect, ""),
       "spec.rules[0].filters[1] requestRedirect cannot stand beside urlRewrite in filters[0]\n"},
      {Filters(answer + ", " + redirect, ""),
       "spec.rules[0].filters[1] requestRedirect cannot stand beside directResponse in filters[0]\n"},
      {Filters(redirect + ", {requestHeaderModifier: {}}, {responseHeaderModifier: {}}", ""), ""},
      {path("type: ReplaceFullPath, replaceFullPath: /"), ""},
      {path("type: ReplacePrefixMatch, replacePrefixMatch: ''"), ""},
      {path("type: ReplaceFullPath, replacePrefixMatch: /"),
       at + ".urlRewrite.path.type is ReplaceFullPath, but replacePrefixMatch is set\n"},
      {path("type: ReplaceFullPath"), at + ".urlRewrite.path must hold exactly one of replaceFullPath and "
                                           "replacePrefixMatch\n"},
      {Filters("{requestRedirect: {path: {}}}", ""),
       at + ".requestRedirect.path must hold exactly one of replaceFullPath and replacePrefixMatch\n"},
      {prefix(""), ""},
      {prefix("{method: GET}, {path: {value: /a}}, {path: {type: PathPrefix, value: /b}}"), ""},
      {prefix("{path: {value: /a}}, {path: {type: Exact, value: /b}}"),
       at + ".urlRewrite.path.replacePrefixMatch needs a PathPrefix in every match; matches[1] has none\n"},
      {prefix("{path: {type: RegularExpression, value: /b}}"),
       at + ".urlRewrite.path.replacePrefixMatch needs a PathPrefix in every match; matches[0] has none\n"},
      {edits("set: [{name: a}], add: [{name: b}], remove: [c]"), ""},
      {edits("set: [{name: a}], add: [{name: A}]"), at + ".requestHeaderModifier.add[0].name is edited already\n"},
      {edits("set: [{name: a}, {name: b}], remove: [c, B]"),
       at + ".requestHeaderModifier.remove[1] is edited already\n"},
      {edits("set: [{name: Transfer-Encoding}]"),
       at + ".requestHeaderModifier.set[0].name is a field of the connection or of framing, which nobody may edit\n"},
      {edits("add: [{name: Host}]"),
       at + ".requestHeaderModifier.add[0].name is a field of the connection or of framing, which nobody may edit\n"},
      {Filters("{directResponse: {status: 200, headers: [{name: set-cookie}, {name: set-cookie}]}}", ""), ""},
      {Filters("{directResponse: {status: 200, headers: [{name: Content-Length}]}}", ""),
       at + ".directResponse.headers[0].name is a field of the connection or of framing, which nobody may edit\n"},
      {Filters("{directResponse: {status: 204}}", ""), ""},
      {Filters("{directResponse: {status: 204, body: a}}", ""),
       at + ".directResponse.body must be left out: a response with status 204 has no content\n"},
      {Filters("{directResponse: {status: 205, body: a}}", ""),
       at + ".directResponse.body must be left out: a response with status 205 has no content\n"},
      {Filters("{directResponse: {status: 304, body: a}}", ""),
       at + ".directResponse.body must be left out: a response with status 304 has no content\n"},
      {Filters(answer), "spec.rules[0].backendRefs must be left out: a filter answers\n"},
      {Filters(redirect), "spec.rules[0].backendRefs must be left out: a filter answers\n"},
      {Filters(full, ""), "spec.rules[0].backendRefs is missing, and no filter answers\n"},
      {"rules: [{}]", "spec.rules[0].backendRefs is missing, and no filter answers\n"},
      {Filters(std::string("{requestMirror: {}}, ") + "{requestMirror: {}}"),
       at + ".requestMirror is not supported yet\nspec.rules[0].filters[1].requestMirror is not supported yet\n"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Check("Route", row.spec), row.expected) << row.spec;
}

TEST(CheckResource, FieldsOfOthersThatMustAgree) {
  const std::string pem = "\"-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n\"";
  const std::string digest = "0b5f3d6c1f2a4e8d9c7b6a5f4e3d2c1b0a9f8e7d6c5b4a392817161514131211";
  const auto keys = [&digest](const std::string& first, const std::string& second) {
    const std::string key = "{apiKey: {sha256: \"" + digest + "\"";
    return "credentials: [" + key + first + "}}, " + key + second + "}}]";
  };
  const struct {
    const char* kind;
    std::string spec;
    std::string expected;  // all of it; "": accepted
  } kRows[] = {
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}, {name: b, port: 1, protocol: HTTP, hostname: b}]",
       ""},
      {"Gateway",
       "listeners: [{name: a, port: 1, protocol: HTTP}, {name: b, port: 1, protocol: HTTPS, hostname: b, tls: "
       "{certificateRefs: [{name: c}]}}]",
       "spec.listeners[1].protocol must be that of listener a, which has the same port\n"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}, {name: a, port: 2, protocol: HTTP}]",
       "spec.listeners[1].name is the name of another listener\n"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}], addresses: [{value: '::1'}, {value: '::1'}]",
       "spec.addresses[1].value is there already\n"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}], addresses: [{value: '::1'}, {value: '0::1'}]",
       "spec.addresses[1].value is there already\n"},
      {"Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}], addresses: [{type: Hostname, value: '::1'}]",
       "spec.addresses[0].type the value Hostname is not supported yet\n"},
      {"Cluster", "endpoints: [{address: '::1', port: 1}, {address: '::1', port: 2}]", ""},
      {"Cluster", "endpoints: [{address: '::1', port: 1}, {address: '::2', port: 1}, {address: '::1', port: 1}]",
       "spec.endpoints[2] has the address and port of endpoints[0]\n"},
      {"Cluster", "endpoints: []", "spec must hold exactly one of endpoints, dns and endpointsFrom\n"},
      {"Cluster", "endpoints: [{address: '::1', port: 1}, {address: '0:0::1', port: 1}]",
       "spec.endpoints[1] has the address and port of endpoints[0]\n"},
      {"Cluster", "endpoints: [{address: '2001:db8::A', port: 1}, {address: '2001:db8::a', port: 1}]",
       "spec.endpoints[1] has the address and port of endpoints[0]\n"},
      {"Cluster", "endpoints: [{address: 1.2.3.4, port: 1}, {address: '::ffff:1.2.3.4', port: 1}]",
       "spec.endpoints[1] has the address and port of endpoints[0]\n"},
      {"Cluster", "endpoints: [{address: 1.2.3.4, port: 1}, {address: '::1.2.3.4', port: 1}]", ""},
      {"Endpoints", "endpoints: [{address: '::ffff:102:304', port: 1}, {address: 1.2.3.4, port: 1}]",
       "spec.endpoints[1] has the address and port of endpoints[0]\n"},
      {"Cluster", "endpointsFrom: {name: e}", ""},
      {"Cluster", "dns: {hostname: a.example, port: 1}", ""},
      {"Cluster", "dns: {hostname: 10.example.a1, port: 1}", ""},
      {"Cluster", "dns: {hostname: 10.0.0.1, port: 1}",
       "spec.dns.hostname must be a name: an address stands in endpoints\n"},
      {"Cluster", "dns: {hostname: '1', port: 1}",
       "spec.dns.hostname must be a name: an address stands in endpoints\n"},
      {"Cluster", "dns: {hostname: a, port: 1}, endpointsFrom: {name: e}",
       "spec must hold exactly one of endpoints, dns and endpointsFrom\n"},
      {"Cluster", "dns: {hostname: a, port: 1}, endpoints: [{address: '::1', port: 1}]",
       "spec must hold exactly one of endpoints, dns and endpointsFrom\n"},
      {"Cluster", "endpoints: [{address: '::1', port: 1}], endpointsFrom: {name: e}",
       "spec must hold exactly one of endpoints, dns and endpointsFrom\n"},
      {"Cluster", "endpoints: [], endpointsFrom: {name: e, kind: Cluster}",
       "spec.endpointsFrom.kind must be Endpoints, not Cluster\n"},
      {"Endpoints", "endpoints: []", ""},
      {"Endpoints", "endpoints: [{address: '::1', port: 1}, {address: '::1', port: 2, weight: 0}]", ""},
      {"Endpoints", "endpoints: [{address: '::1', port: 1}, {address: '::1', port: 1}]",
       "spec.endpoints[1] has the address and port of endpoints[0]\n"},
      {"Endpoints", "endpoints: [{address: '::1', port: 1, weight: 1001}]",
       "spec.endpoints[0].weight must be 0 to 1000\n"},
      {"Consumer", "credentials: [{jwt: {issuer: i, claims: {a: b}}}, {}]",
       "spec.credentials[1] must hold exactly one of jwt and apiKey\n"},
      {"Consumer", keys("", ", expires: 2027-01-31T00:00:00Z"),
       "spec.credentials[1].apiKey.sha256 is that of another entry\n"},
      {"Consumer", "credentials: [{jwt: {issuer: i, claims: {a: b}}, apiKey: {sha256: \"" + digest + "\"}}]",
       "spec.credentials[0] must hold exactly one of jwt and apiKey\n"},
      {"Secret", "jwks: {inline: '{}'}, caCertificates: {inline: a}",
       "spec must hold exactly one of tls, jwks and caCertificates\n"},
      {"Secret", "tls: {certificate: {inline: a}, privateKey: {inline: b}}", ""},
      {"Secret", "tls: {certificate: {inline: a}, privateKey: {}}",
       "spec.tls.privateKey must be inline text of 1 to 1048576 bytes\n"},
      {"Secret", "tls: {certificate: {file: a}, privateKey: {inline: b}}",
       "spec.tls.certificate.file must have been read by whoever reads the configuration; what travels is inline\n"},
      {"Secret", "jwks: {inline: '{\"keys\":[]}'}", "spec.jwks has no key that can check a signature\n"},
      {"Secret", "jwks: {inline: '" + std::string(65537, ' ') + "'}",
       "spec.jwks must be inline text of 1 to 65536 bytes\n"},
      {"Secret", "caCertificates: {inline: " + pem + "}", ""},
      {"Secret", "jwks: {inline: 'sha256:0f'}",
       "spec.jwks is a digest, as the API shows what it holds, and not the text itself\n"},
      {"Secret", "caCertificates: {inline: ''}", "spec.caCertificates must be inline text of 1 to 1048576 bytes\n"},
      {"AuthPolicy",
       "targetRefs: [{kind: Route, name: r}], authorization: {defaultAction: Deny, rules: [{name: a, action: Allow, "
       "operation: {paths: [{}, {type: RegularExpression, value: '('}]}}]}",
       "spec.authorization.rules[0].operation.paths[1].value is no RE2 expression: missing ): (\n"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Check(row.kind, row.spec), row.expected) << row.spec;
  EXPECT_NE(Check("Secret", "caCertificates: {inline: text}").find("spec.caCertificates "), std::string::npos);
}

TEST(CheckResource, WhoMayWrite) {
  const std::string digest(64, 'a');
  const struct {
    const char* kind;
    std::string name_space;
    std::string spec;
    std::string expected;  // all of it; "": accepted
  } kRows[] = {
      {"Role", "a", "role: Viewer, subjects: [{certificate: alice}, {token: ci}, {token: b/ci}]", ""},
      {"Role", "default", "role: Admin, allNamespaces: true, subjects: [{token: root}]", ""},
      {"Role", "a", "role: Admin, allNamespaces: false, subjects: [{token: root}]", ""},
      {"Role", "a", "role: Admin, allNamespaces: true, subjects: [{token: root}]",
       "spec.allNamespaces is for a Role in namespace default alone\n"},
      {"Role", "a", "subjects: [{token: t}]", "spec.role is missing\n"},
      {"Role", "a", "role: Editor", "spec.subjects must have 1 to 64 items\n"},
      {"Role", "a", "role: Editor, subjects: [{}]",
       "spec.subjects[0] must hold exactly one of certificate and token\n"},
      {"Role", "a", "role: Editor, subjects: [{token: t, certificate: c}]",
       "spec.subjects[0] must hold exactly one of certificate and token\n"},
      {"Role", "a", "role: Editor, subjects: [{token: t}, {certificate: t}, {token: t}]",
       "spec.subjects[2] is subjects[0]\n"},
      {"Role", "a", "role: Editor, subjects: [{token: T}]",
       "spec.subjects[0].token must be the name of a Token, or namespace/name\n"},
      {"Role", "a", "role: Editor, subjects: [{certificate: " + std::string(1025, 'c') + "}]",
       "spec.subjects[0].certificate must be 1 to 1024 bytes\n"},
      {"Token", "a", "sha256: " + digest, ""},
      {"Token", "a", "sha256: " + digest + ", expires: 2027-01-01T00:00:00Z", ""},
      {"Token", "a", "expires: 2027-01-01T00:00:00Z", "spec.sha256 is missing\n"},
      {"Token", "a", "sha256: " + digest.substr(1),
       "spec.sha256 must be 64 hexadecimal digits in lower case, and not the digest of an empty key\n"},
      {"Token", "a", "sha256: " + std::string(64, 'A'),
       "spec.sha256 must be 64 hexadecimal digits in lower case, and not the digest of an empty key\n"},
  };
  for (const auto& row : kRows) {
    yaml::Problems problems(10);
    std::string all;
    for (const auto& document : yaml::ReadText(base::Concat("kind: ", row.kind, "\nmetadata: {name: x, namespace: ",
                                                            row.name_space, "}\nspec: {", row.spec, "}\n"),
                                               "f", yaml::Limits(), problems)) {
      for (const Violation& violation : CheckResource(document.resource, {}))
        all += violation.path + " " + violation.message + "\n";
    }
    EXPECT_EQ(problems.ToString() + all, row.expected) << row.spec;
  }
}

TEST(CheckResource, EveryKindNeedsNameAndSpec) {
  const struct {
    const char* kind;
    const char* expected;
  } kRows[] = {
      {"Gateway", "spec.listeners must have 1 to 64 items"},
      {"Route", "spec.rules must have 1 to 256 items"},
      {"Composition", "spec.steps must have 1 to 32 items"},
      {"Cluster", "spec must hold exactly one of endpoints, dns and endpointsFrom"},
      {"AuthPolicy", "spec.targetRefs must have 1 to 16 items"},
      {"Consumer", "spec.credentials must have 1 to 16 items"},
      {"Secret", "spec must hold exactly one of tls, jwks and caCertificates"},
      {"ReferenceGrant", "spec.from must have 1 to 16 items"},
      {"Role", "spec.role is missing"},
      {"Token", "spec.sha256 is missing"},
  };
  for (const auto& row : kRows) {
    yaml::Problems problems(10);
    for (const auto& document :
         yaml::ReadText(std::string("kind: ") + row.kind + "\n", "f", yaml::Limits(), problems)) {
      const Violations found = CheckResource(document.resource, {});
      ASSERT_GE(found.size(), 2u) << row.kind;
      EXPECT_EQ(found[0].path + " " + found[0].message, "metadata.name is missing") << row.kind;
      EXPECT_EQ(found[1].path + " " + found[1].message, row.expected);
    }
    EXPECT_TRUE(problems.empty());
  }
}

}  // namespace
}  // namespace portico::check
