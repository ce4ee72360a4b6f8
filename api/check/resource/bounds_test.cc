// Long: rows for every rule of bounds_table.h, kept together so that a missing one shows.

#include <set>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/check/resource/bounds_table.h"
#include "api/check/resource/resource.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

using base::Concat;

std::string Times(size_t count, const std::string& text) {
  std::string all;
  for (size_t i = 0; i < count; ++i)
    all += text;
  return all;
}
std::string A(size_t count) {
  return Times(count, "a");
}
// Distinct items: "x0, x1, ", each by `make`.
template <typename Make>
std::string Items(size_t count, Make make) {
  std::string all;
  for (size_t i = 0; i < count; ++i)
    all += Concat(make(std::to_string(i)), ", ");
  return all;
}
std::string Names(size_t count) {
  return Items(count, [](const std::string& i) { return "n" + i; });
}
std::string Named(size_t count, const std::string& rest) {
  return Items(count, [&](const std::string& i) { return Concat("{name: n", i, rest, "}"); });
}
std::string Entries(size_t count) {
  return Items(count, [](const std::string& i) { return Concat("k", i, ": v"); });
}

std::string Spec(const std::string& kind, const std::string& spec) {
  return Concat("kind: ", kind, "\nmetadata: {name: x}\nspec: {", spec, "}\n");
}
std::string Gateway(const std::string& more) {
  return Spec("Gateway", "listeners: [{name: a, port: 1, protocol: HTTP}], " + more);
}
std::string Listener(const std::string& fields) {
  return Spec("Gateway", "listeners: [{" + fields + "}]");
}
std::string Route(const std::string& rule) {
  return Spec("Route", "rules: [{backendRefs: [{name: b}], " + rule + "}]");
}
std::string Backend(const std::string& fields) {
  return Spec("Route", "rules: [{backendRefs: [{" + fields + "}]}]");
}
std::string Answer(const std::string& filter) {
  return Spec("Route", "rules: [{filters: [{" + filter + "}]}]");
}
std::string Cluster(const std::string& more) {
  return Spec("Cluster", "endpoints: [{address: 127.0.0.1, port: 1}], " + more);
}
std::string Ca(const std::string& reference) {
  return Cluster("tls: {hostname: a, caCertificateRefs: [{" + reference + "}]}");
}
std::string Call(const std::string& reference) {
  return Spec("Composition",
              "steps: [{name: a, call: {path: /, backendRef: {" + reference + "}}}], answer: {body: $a}");
}
std::string Policy(const std::string& more) {
  return Spec("AuthPolicy", "targetRefs: [{kind: Gateway, name: g}], " + more);
}
std::string Target(const std::string& fields) {
  return Spec("AuthPolicy", "targetRefs: [{" + fields + "}], authentication: {anyOf: [{anonymous: {}}]}");
}
std::string Jwt(const std::string& fields) {
  return Policy("authentication: {anyOf: [{jwt: {" + fields + "}}]}");
}
std::string Rule_(const std::string& fields) {
  return Policy("authorization: {defaultAction: Deny, rules: [{" + fields + "}]}");
}
std::string Principal(const std::string& fields) {
  return Rule_("name: a, action: Deny, principal: {" + fields + "}");
}
std::string Operation(const std::string& fields) {
  return Rule_("name: a, action: Deny, operation: {" + fields + "}");
}
std::string Identity(const std::string& headers) {
  return Policy("authentication: {anyOf: [{anonymous: {}}]}, identityToHeaders: [" + headers + "]");
}
std::string Limits(const std::string& limits) {
  return Spec("RateLimitPolicy", "targetRefs: [{kind: Gateway, name: g}], limits: [" + limits + "]");
}
std::string Consumer(const std::string& credentials, const std::string& more = "") {
  return Spec("Consumer", "credentials: [" + credentials + "], " + more);
}
std::string Grant(const std::string& from, const std::string& to) {
  return Spec("ReferenceGrant", "from: [" + from + "], to: [" + to + "]");
}

const char kCredential[] = "{jwt: {issuer: i, claims: {a: b}}}";
const char kFrom[] = "{kind: Route, namespace: n}";
const char kTo[] = "{kind: Cluster}";

struct Case {
  std::string rule;
  std::string text;  // a resource with @ where the values go
  std::vector<std::string> good;
  std::vector<std::string> bad;
  std::string path;  // of what is refused
  std::string words;
};

// The one violation, as "path: words"; "": accepted.
std::string Judge(const Case& row, const std::string& value) {
  std::string text = row.text;
  text.replace(text.find('@'), 1, value);
  yaml::Problems problems(10);
  std::string all;
  for (const yaml::Document& document : yaml::ReadText(text, "f", yaml::Limits(), problems)) {
    for (const Violation& violation : CheckResource(document.resource, {}))
      all += Concat(all.empty() ? "" : "\n", violation.path, ": ", violation.message);
  }
  return problems.empty() ? all : "unreadable: " + problems.ToString();
}

const char kSubdomain[] = "must be lower-case letters, digits, '-' and '.', at most 253 bytes";
const char kLabelWords[] = "must be lower-case letters, digits and '-', at most 63 bytes";
const char kDnsName[] = "must be a DNS name in lower case, without wildcard";
const char kHostnameWords[] = "must be a DNS name in lower case, or `*.` and one";
const char kFieldNameWords[] = "must be the name of a field (RFC 9110 section 5.1), at most 256 bytes";
const char kMethods[] = "must be GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or PATCH";
const char kIp[] = "must be an IPv4 or IPv6 address";
const char kPort[] = "must be 1 to 65535";
const char kReplacement[] = "must begin with / and be at most 1024 visible ASCII characters without ? and #";
const char kEntry[] = "must have a key of 1 to 256 bytes and a value of 1 to 1024 bytes";
const std::vector<std::string> kNoNames = {"A", "a_b", "-a", "a..b", A(64)};
const std::vector<std::string> kNoLabels = {"A", "a.b", "a-", A(64)};
const std::vector<std::string> kNoPorts = {"0", "65536"};

std::vector<Case> CommonCases() {
  const std::string longest = A(63) + "." + A(63) + "." + A(63) + "." + A(61);
  const std::string meta = "kind: Cluster\nmetadata: {@}\nspec: {endpoints: [{address: '::1', port: 1}]}\n";
  const std::string edit = Route("filters: [{responseHeaderModifier: {set: [{@}]}}]");
  const std::string header = "spec.rules[0].filters[0].responseHeaderModifier.set[0]";
  return {
      {"Metadata.name", meta, {"name: a.b-1", "name: " + longest}, {"labels: {}"}, "metadata.name", "is missing"},
      {"Metadata.name", meta, {}, {"name: A", "name: " + longest + "a"}, "metadata.name", kSubdomain},
      {"Metadata.namespace",
       meta,
       {"name: a, namespace: b-1"},
       {"name: a, namespace: a.b"},
       "metadata.namespace",
       kLabelWords},
      {"Metadata.labels",
       meta,
       {"name: a, labels: {" + Entries(64) + "}"},
       {"name: a, labels: {" + Entries(65) + "}"},
       "metadata.labels",
       "must have at most 64 items"},
      {"Metadata.labels",
       meta,
       {"name: a, labels: {" + A(317) + ": " + A(63) + ", b: ''}"},
       {"name: a, labels: {b: " + A(64) + "}"},
       "metadata.labels.b",
       "must have a key of 1 to 317 bytes and a value of at most 63 bytes"},
      {"Metadata.labels",
       meta,
       {},
       {"name: a, labels: {" + A(318) + ": b}"},
       "metadata.labels." + A(40),
       "must have a key of 1 to 317 bytes and a value of at most 63 bytes"},
      {"ObjectReference.group",
       Ca("name: a, group: @"),
       {"''", "portico.dev"},
       {"apps"},
       "spec.tls.caCertificateRefs[0].group",
       "must be portico.dev, not apps"},
      {"ObjectReference.kind",
       Ca("name: a, kind: @"),
       {"Secret"},
       {"ConfigMap"},
       "spec.tls.caCertificateRefs[0].kind",
       "must be Secret, not ConfigMap"},
      {"ObjectReference.namespace",
       Ca("name: a, namespace: @"),
       {"a"},
       kNoLabels,
       "spec.tls.caCertificateRefs[0].namespace",
       kLabelWords},
      {"ObjectReference.name",
       Ca("@"),
       {"name: a"},
       {"kind: Secret"},
       "spec.tls.caCertificateRefs[0].name",
       "is missing"},
      {"ObjectReference.name", Ca("name: @"), {"a.b"}, kNoNames, "spec.tls.caCertificateRefs[0].name", kSubdomain},
      {"ParentReference.group",
       Spec("Route", "parentRefs: [{name: g, group: @}], rules: [{backendRefs: [{name: b}]}]"),
       {"''", "portico.dev", "gateway.networking.k8s.io"},
       {"core"},
       "spec.parentRefs[0].group",
       "must be portico.dev or gateway.networking.k8s.io, not core"},
      {"ParentReference.kind",
       Spec("Route", "parentRefs: [{name: g, kind: @}], rules: [{backendRefs: [{name: b}]}]"),
       {"Gateway"},
       {"Service"},
       "spec.parentRefs[0].kind",
       "must be Gateway, not Service"},
      {"ParentReference.namespace",
       Spec("Route", "parentRefs: [{name: g, namespace: @}], rules: [{backendRefs: [{name: b}]}]"),
       {"n"},
       kNoLabels,
       "spec.parentRefs[0].namespace",
       kLabelWords},
      {"ParentReference.name",
       Spec("Route", "parentRefs: [{@}], rules: [{backendRefs: [{name: b}]}]"),
       {"name: g"},
       {"kind: Gateway"},
       "spec.parentRefs[0].name",
       "is missing"},
      {"ParentReference.section_name",
       Spec("Route", "parentRefs: [{name: g, sectionName: @}], rules: [{backendRefs: [{name: b}]}]"),
       {"a.b"},
       kNoNames,
       "spec.parentRefs[0].sectionName",
       kSubdomain},
      {"ParentReference.port",
       Spec("Route", "parentRefs: [{name: g, port: @}], rules: [{backendRefs: [{name: b}]}]"),
       {"1", "65535"},
       kNoPorts,
       "spec.parentRefs[0].port",
       kPort},
      {"TargetReference.group",
       Target("kind: Route, name: a, group: @"),
       {"portico.dev"},
       {"apps"},
       "spec.targetRefs[0].group",
       "must be portico.dev, not apps"},
      {"TargetReference.kind",
       Target("name: a, @"),
       {"kind: Route", "kind: Gateway"},
       {"group: ''"},
       "spec.targetRefs[0].kind",
       "is missing"},
      {"TargetReference.kind",
       Target("name: a, kind: @"),
       {},
       {"Cluster"},
       "spec.targetRefs[0].kind",
       "must be Gateway or Route, not Cluster"},
      {"TargetReference.namespace",
       Target("kind: Route, name: a, namespace: @"),
       {"n"},
       kNoLabels,
       "spec.targetRefs[0].namespace",
       kLabelWords},
      {"TargetReference.name",
       Target("kind: Route, @"),
       {"name: a"},
       {"group: ''"},
       "spec.targetRefs[0].name",
       "is missing"},
      {"TargetReference.section_name",
       Target("kind: Route, name: a, sectionName: @"),
       {"a.b"},
       kNoNames,
       "spec.targetRefs[0].sectionName",
       kSubdomain},
      {"BackendObjectReference.group",
       Call("name: b, group: @"),
       {"portico.dev"},
       {"apps"},
       "spec.steps[0].call.backendRef.group",
       "must be portico.dev, not apps"},
      {"BackendObjectReference.kind",
       Call("name: b, kind: @"),
       {"Cluster"},
       {"Composition"},
       "spec.steps[0].call.backendRef.kind",
       "must be Cluster, not Composition"},
      {"BackendObjectReference.namespace",
       Call("name: b, namespace: @"),
       {"n"},
       kNoLabels,
       "spec.steps[0].call.backendRef.namespace",
       kLabelWords},
      {"BackendObjectReference.name",
       Call("@"),
       {"name: b"},
       {"kind: Cluster"},
       "spec.steps[0].call.backendRef.name",
       "is missing"},
      {"BackendObjectReference.port",
       Call("name: b, port: @"),
       {"1", "65535"},
       kNoPorts,
       "spec.steps[0].call.backendRef.port",
       kPort},
      {"Header.name", edit, {"name: X-a, value: b", "name: " + A(256)}, {"value: b"}, header + ".name", "is missing"},
      {"Header.name", edit, {}, {"name: 'a b'", "name: ':a'", "name: " + A(257)}, header + ".name", kFieldNameWords},
      {"Header.value",
       edit,
       {"name: a", "name: a, value: " + A(4096)},
       {"name: a, value: \"b\\r\\nc: d\"", "name: a, value: \"\\t\"", "name: a, value: " + A(4097)},
       header + ".value",
       "must be at most 4096 bytes and hold no control character"},
  };
}

std::vector<Case> GatewayCases() {
  const auto listeners = [](size_t count) {
    return Items(count,
                 [](const std::string& i) { return Concat("{name: a", i, ", port: 1", i, ", protocol: HTTP}"); });
  };
  const auto addresses = [](size_t count) {
    return Items(count, [](const std::string& i) { return Concat("{value: 127.0.0.", i, "}"); });
  };
  const std::string tls = Listener("name: a, port: 1, protocol: HTTPS, tls: {certificateRefs: [@]}");
  const std::string kinds = Listener("name: a, port: 1, protocol: HTTP, allowedRoutes: {kinds: [@]}");
  const std::vector<std::string> day = {"1ms", "24h"};
  const std::vector<std::string> beyond_day = {"0s", "24h1ms", "99999h"};
  return {
      {"GatewaySpec.listeners",
       Spec("Gateway", "listeners: [@]"),
       {listeners(1), listeners(64)},
       {"", listeners(65)},
       "spec.listeners",
       "must have 1 to 64 items"},
      {"GatewaySpec.addresses",
       Gateway("addresses: [@]"),
       {"", addresses(16)},
       {addresses(17)},
       "spec.addresses",
       "must have at most 16 items"},
      {"Listener.name",
       Listener("port: 1, protocol: HTTP, @"),
       {"name: a.b"},
       {"hostname: a"},
       "spec.listeners[0].name",
       "is missing"},
      {"Listener.name",
       Listener("port: 1, protocol: HTTP, name: @"),
       {},
       kNoNames,
       "spec.listeners[0].name",
       kSubdomain},
      {"Listener.port",
       Listener("name: a, protocol: HTTP, @"),
       {"port: 1", "port: 65535"},
       {"port: 0", "port: 65536", "hostname: a"},
       "spec.listeners[0].port",
       kPort},
      {"Listener.protocol",
       Listener("name: a, port: 1, @"),
       {"protocol: HTTP"},
       {"hostname: a"},
       "spec.listeners[0].protocol",
       "is missing"},
      {"Listener.hostname",
       Listener("name: a, port: 1, protocol: HTTP, hostname: @"),
       {"a.b", "'*.a.b'"},
       {"'*'", "A.b", "'a.*.b'", "a:80"},
       "spec.listeners[0].hostname",
       kHostnameWords},
      {"ListenerTls.certificate_refs",
       tls,
       {"{name: a}", Named(64, "")},
       {"", Named(65, "")},
       "spec.listeners[0].tls.certificateRefs",
       "must have 1 to 64 items"},
      {"AllowedRoutes.kinds",
       kinds,
       {"", Times(8, "{kind: Route}, ")},
       {Times(9, "{kind: Route}, ")},
       "spec.listeners[0].allowedRoutes.kinds",
       "must have at most 8 items"},
      {"RouteGroupKind.group",
       kinds,
       {"{kind: Route, group: portico.dev}",
        "{kind: HTTPRoute, group: "
        "gateway.networking.k8s.io}"},
       {"{kind: Route, group: apps}"},
       "spec.listeners[0].allowedRoutes.kinds[0].group",
       "must be portico.dev or gateway.networking.k8s.io, not apps"},
      {"RouteGroupKind.kind",
       kinds,
       {"{kind: Route}, {kind: HTTPRoute}"},
       {"{kind: Route}, {kind: GRPCRoute}"},
       "spec.listeners[0].allowedRoutes.kinds[1].kind",
       "must be Route or HTTPRoute, not GRPCRoute"},
      {"GatewayAddress.value",
       Gateway("addresses: [{value: @}]"),
       {"127.0.0.1", "'::1'", "'fe80::1'"},
       {"localhost", "127.0.0.1/8", "127.1", "'[::1]'", "'fe80::1%eth0'", "'1.2.3.4:80'", "\"127.0.0.1\\0\""},
       "spec.addresses[0].value",
       kIp},
      {"GatewayAddress.value",
       Gateway("addresses: [{@}]"),
       {},
       {"type: IPAddress"},
       "spec.addresses[0].value",
       "is missing"},
      {"ClientAddress.trusted_networks",
       Gateway("clientAddress: {trustedNetworks: [@]}"),
       {"", "10.0.0.0/8, 0.0.0.0/0, 10.0.0.1, 10.0.0.1/32, '::/0', 'fd00::/8', '::1', '::ffff:10.0.0.0/104'",
        Times(256, "'::1', ")},
       {Times(257, "'::1', ")},
       "spec.clientAddress.trustedNetworks",
       "must have at most 256 items"},
      {"ClientAddress.trusted_networks",
       Gateway("clientAddress: {trustedNetworks: ['::1', @]}"),
       {},
       {"10.0.0.1/8", "10.128.0.0/8", "10.0.0.0/33", "10.0.0.0/08", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "''",
        "'fd00::1/8'", "'::/129'", "10.0.0.0/ 8", "example.org", "'::ffff:0.0.0.0/95'", "10/8"},
       "spec.clientAddress.trustedNetworks[1]",
       "must be a network (10.0.0.0/8) without bits below its prefix, or one address"},
      {"ClientAddress.forwarded_hops",
       Gateway("clientAddress: {forwardedHops: @}"),
       {"1", "16"},
       {"0", "17"},
       "spec.clientAddress.forwardedHops",
       "must be 1 to 16"},
      {"GatewayTimeouts.request_head",
       Gateway("timeouts: {requestHead: @}"),
       {"1ms", "1h"},
       {"0s", "1h1ms", "99999h"},
       "spec.timeouts.requestHead",
       "must be 1ms to 1h"},
      {"GatewayTimeouts.response_head", Gateway("timeouts: {responseHead: @}"), day, beyond_day,
       "spec.timeouts.responseHead", "must be 1ms to 24h"},
      {"GatewayTimeouts.stream_idle", Gateway("timeouts: {streamIdle: @}"), day, beyond_day, "spec.timeouts.streamIdle",
       "must be 1ms to 24h"},
      {"GatewayTimeouts.connection_idle", Gateway("timeouts: {connectionIdle: @}"), day, beyond_day,
       "spec.timeouts.connectionIdle", "must be 1ms to 24h"},
      {"GatewayTimeouts.stream_duration_max", Gateway("timeouts: {streamDurationMax: @}"), day, beyond_day,
       "spec.timeouts.streamDurationMax", "must be 1ms to 24h"},
      {"GatewayLimits.request_head_bytes_max",
       Gateway("limits: {requestHeadBytesMax: @}"),
       {"1024", "1048576"},
       {"1023", "1048577"},
       "spec.limits.requestHeadBytesMax",
       "must be 1024 to 1048576"},
      {"GatewayLimits.request_fields_max",
       Gateway("limits: {requestFieldsMax: @}"),
       {"1", "10000"},
       {"0", "10001"},
       "spec.limits.requestFieldsMax",
       "must be 1 to 10000"},
      {"GatewayLimits.request_target_bytes_max",
       Gateway("limits: {requestTargetBytesMax: @}"),
       {"64", "65536"},
       {"63", "65537"},
       "spec.limits.requestTargetBytesMax",
       "must be 64 to 65536"},
      {"GatewayLimits.concurrent_streams_max",
       Gateway("limits: {concurrentStreamsMax: @}"),
       {"1", "10000"},
       {"0", "10001"},
       "spec.limits.concurrentStreamsMax",
       "must be 1 to 10000"},
      {"GatewayLimits.connections_max",
       Gateway("limits: {connectionsMax: @}"),
       {"1", "10000000"},
       {"0", "10000001"},
       "spec.limits.connectionsMax",
       "must be 1 to 10000000"},
      {"GatewayLimits.request_content_bytes_per_second_min",
       Gateway("limits: {requestContentBytesPerSecondMin: @}"),
       {"0", "1048576"},
       {"1048577"},
       "spec.limits.requestContentBytesPerSecondMin",
       "must be 0 to 1048576"},
      {"AccessLog.file",
       Gateway("accessLog: {file: @}"),
       {"/a", "/" + A(1023)},
       {"''", "a", "/" + A(1024)},
       "spec.accessLog.file",
       "must be an absolute path of at most 1024 bytes"},
  };
}

std::vector<Case> RouteCases() {
  const auto matches = [](const std::string& match) { return Route("matches: [{" + match + "}]"); };
  const std::string match = "spec.rules[0].matches[0]";
  const auto modifier = [](const std::string& edits) {
    return Route("filters: [{requestHeaderModifier: {" + edits + "}}]");
  };
  const std::string edits = "spec.rules[0].filters[0].requestHeaderModifier";
  const auto redirect = [](const std::string& fields) { return Answer("requestRedirect: {" + fields + "}"); };
  const std::string redirects = "spec.rules[0].filters[0].requestRedirect";
  const auto rewrite = [](const std::string& fields) { return Route("filters: [{urlRewrite: {" + fields + "}}]"); };
  const auto answer = [](const std::string& fields) { return Answer("directResponse: {" + fields + "}"); };
  const std::string answers = "spec.rules[0].filters[0].directResponse";
  const std::string reference = "spec.rules[0].backendRefs[0]";
  const std::vector<std::string> times = {"0s", "1ms", "24h"};
  const std::vector<std::string> no_times = {"24h1ms", "99999h"};
  return {
      {"RouteSpec.parent_refs",
       Spec("Route", "rules: [{backendRefs: [{name: b}]}], parentRefs: [@]"),
       {"", Named(32, "")},
       {Named(33, "")},
       "spec.parentRefs",
       "must have at most 32 items"},
      {"RouteSpec.hostnames",
       Spec("Route", "rules: [{backendRefs: [{name: b}]}], hostnames: [@]"),
       {"", Names(64)},
       {Names(65)},
       "spec.hostnames",
       "must have at most 64 items"},
      {"RouteSpec.hostnames",
       Spec("Route", "rules: [{backendRefs: [{name: b}]}], hostnames: [a, @]"),
       {"'*.a.b', a.b"},
       {"A", "'*'", "''", "a:80"},
       "spec.hostnames[1]",
       kHostnameWords},
      {"RouteSpec.rules",
       Spec("Route", "rules: [@]"),
       {"{backendRefs: [{name: b}]}", Times(256, "{backendRefs: [{name: b}]}, ")},
       {"", Times(257, "{backendRefs: [{name: b}]}, ")},
       "spec.rules",
       "must have 1 to 256 items"},
      {"RouteRule.name", Route("name: @"), {"a.b-1"}, kNoNames, "spec.rules[0].name", kSubdomain},
      {"RouteRule.matches",
       Route("matches: [@]"),
       {"", Times(64, "{}, ")},
       {Times(65, "{}, ")},
       "spec.rules[0].matches",
       "must have at most 64 items"},
      {"RouteRule.backend_refs",
       Spec("Route", "rules: [{backendRefs: [@]}]"),
       {Named(16, "")},
       {Named(17, "")},
       "spec.rules[0].backendRefs",
       "must have at most 16 items"},
      {"RouteMatch.headers",
       matches("headers: [@]"),
       {"", Named(16, ", value: v")},
       {Named(17, ", value: v")},
       match + ".headers",
       "must have at most 16 items"},
      {"RouteMatch.query_params",
       matches("queryParams: [@]"),
       {"", Named(16, ", value: v")},
       {Named(17, ", value: v")},
       match + ".queryParams",
       "must have at most 16 items"},
      {"RouteMatch.method", matches("method: @"), {"GET", "CONNECT"}, {"get", "PROPFIND"}, match + ".method", kMethods},
      {"HeaderMatch.name",
       matches("headers: [{value: v, @}]"),
       {"name: X-A"},
       {"type: Exact"},
       match + ".headers[0].name",
       "is missing"},
      {"HeaderMatch.name",
       matches("headers: [{value: v, name: @}]"),
       {A(256)},
       {"'a b'", A(257)},
       match + ".headers[0].name",
       kFieldNameWords},
      {"HeaderMatch.value",
       matches("headers: [{name: a, @}]"),
       {"value: v", "value: " + A(4096)},
       {"type: Exact"},
       match + ".headers[0].value",
       "is missing"},
      {"HeaderMatch.value",
       matches("headers: [{name: a, value: @}]"),
       {},
       {A(4097)},
       match + ".headers[0].value",
       "must be 1 to 4096 bytes"},
      {"QueryParamMatch.name",
       matches("queryParams: [{value: v, @}]"),
       {"name: 'a b'"},
       {"type: Exact"},
       match + ".queryParams[0].name",
       "is missing"},
      {"QueryParamMatch.name",
       matches("queryParams: [{value: v, name: @}]"),
       {A(256)},
       {A(257)},
       match + ".queryParams[0].name",
       "must be 1 to 256 bytes"},
      {"QueryParamMatch.value",
       matches("queryParams: [{name: a, @}]"),
       {"value: " + A(1024)},
       {"type: Exact"},
       match + ".queryParams[0].value",
       "is missing"},
      {"QueryParamMatch.value",
       matches("queryParams: [{name: a, value: @}]"),
       {},
       {A(1025)},
       match + ".queryParams[0].value",
       "must be 1 to 1024 bytes"},
      {"HeaderModifier.set",
       modifier("set: [@]"),
       {"", Named(16, "")},
       {Named(17, "")},
       edits + ".set",
       "must have at most 16 items"},
      {"HeaderModifier.add",
       modifier("add: [@]"),
       {"", Named(16, "")},
       {Named(17, "")},
       edits + ".add",
       "must have at most 16 items"},
      {"HeaderModifier.remove",
       modifier("remove: [@]"),
       {"", Names(16)},
       {Names(17)},
       edits + ".remove",
       "must have at most 16 items"},
      {"HeaderModifier.remove",
       modifier("remove: [a, @]"),
       {"X-b"},
       {"''", "'b c'"},
       edits + ".remove[1]",
       kFieldNameWords},
      {"PathModifier.replace_full_path",
       rewrite("path: {replaceFullPath: @}"),
       {"/", "/a%20b", "/" + A(1023)},
       {"''", "a", "'/a?b'", "'/a#b'", "/a b", "\"/a\\r\\nb\"", "/ä", "/" + A(1024)},
       "spec.rules[0].filters[0].urlRewrite.path.replaceFullPath",
       kReplacement},
      {"PathModifier.replace_prefix_match",
       rewrite("path: {replacePrefixMatch: @}"),
       {"''", "/", "/a/"},
       {"a", "'/a?b'", "/a b", "/" + A(1024)},
       "spec.rules[0].filters[0].urlRewrite.path.replacePrefixMatch",
       "must be empty, or begin with / and be at most 1024 visible ASCII characters without ? and #"},
      {"RequestRedirect.scheme",
       redirect("scheme: @"),
       {"http", "https"},
       {"HTTP", "ftp"},
       redirects + ".scheme",
       "must be http or https, not @"},
      {"RequestRedirect.hostname",
       redirect("hostname: @"),
       {"a.b", "127.0.0.1"},
       {"'*.a'", "a:80", "'::1'", "a/b"},
       redirects + ".hostname",
       kDnsName},
      {"RequestRedirect.port", redirect("port: @"), {"1", "65535"}, kNoPorts, redirects + ".port", kPort},
      {"RequestRedirect.status_code",
       redirect("statusCode: @"),
       {"301", "302", "303", "307", "308"},
       {"0", "300", "304", "200"},
       redirects + ".statusCode",
       "must be 301, 302, 303, 307 or 308, not @"},
      {"UrlRewrite.hostname",
       rewrite("hostname: @"),
       {"a.b"},
       {"'*.a'", "a:80", "A"},
       "spec.rules[0].filters[0].urlRewrite.hostname",
       kDnsName},
      {"DirectResponse.status",
       answer("@"),
       {"status: 200", "status: 599"},
       {"body: a", "status: 199", "status: 600"},
       answers + ".status",
       "must be 200 to 599"},
      {"DirectResponse.headers",
       answer("status: 200, headers: [@]"),
       {"", Named(16, "")},
       {Named(17, "")},
       answers + ".headers",
       "must have at most 16 items"},
      {"DirectResponse.body",
       answer("status: 200, body: @"),
       {"''", A(65536)},
       {A(65537)},
       answers + ".body",
       "must be at most 65536 bytes"},
      {"BackendRef.group",
       Backend("name: a, group: @"),
       {"''", "portico.dev"},
       {"apps"},
       reference + ".group",
       "must be portico.dev, not apps"},
      {"BackendRef.kind",
       Backend("name: a, kind: @"),
       {"Cluster", "Composition"},
       {"Service"},
       reference + ".kind",
       "must be Cluster or Composition, not Service"},
      {"BackendRef.name", Backend("@"), {"name: a"}, {"kind: Cluster"}, reference + ".name", "is missing"},
      {"BackendRef.namespace",
       Backend("name: a, namespace: @"),
       {"n"},
       kNoLabels,
       reference + ".namespace",
       kLabelWords},
      {"BackendRef.port", Backend("name: a, port: @"), {"1", "65535"}, kNoPorts, reference + ".port", kPort},
      {"BackendRef.weight",
       Backend("name: a, weight: @"),
       {"0", "1000000"},
       {"1000001"},
       reference + ".weight",
       "must be 0 to 1000000"},
      {"RouteTimeouts.request", Route("timeouts: {request: @}"), times, no_times, "spec.rules[0].timeouts.request",
       "must be 0s (none) or 1ms to 24h"},
      {"RouteTimeouts.backend_request", Route("timeouts: {backendRequest: @}"), times, no_times,
       "spec.rules[0].timeouts.backendRequest", "must be 0s (none) or 1ms to 24h"},
      {"RouteRetry.codes",
       Route("retry: {codes: [@]}"),
       {"", Times(16, "503, ")},
       {Times(17, "503, ")},
       "spec.rules[0].retry.codes",
       "must have at most 16 items"},
      {"RouteRetry.codes",
       Route("retry: {codes: [503, @]}"),
       {"400", "599"},
       {"399", "600"},
       "spec.rules[0].retry.codes[1]",
       "must be 400 to 599"},
      {"RouteRetry.attempts",
       Route("retry: {attempts: @}"),
       {"1", "10"},
       {"0", "11"},
       "spec.rules[0].retry.attempts",
       "must be 1 to 10"},
      {"RouteRetry.backoff",
       Route("retry: {backoff: @}"),
       {"0s", "1m"},
       {"1m1ms"},
       "spec.rules[0].retry.backoff",
       "must be 0s to 1m"},
      {"RouteRetry.methods",
       Route("retry: {methods: [@]}"),
       {"", Times(9, "POST, ")},
       {Times(10, "POST, ")},
       "spec.rules[0].retry.methods",
       "must have at most 9 items"},
      {"RouteRetry.methods",
       Route("retry: {methods: [GET, @]}"),
       {"POST"},
       {"''", "post"},
       "spec.rules[0].retry.methods[1]",
       kMethods},
      {"RouteRetry.content_bytes_max",
       Route("retry: {contentBytesMax: @}"),
       {"0", "1048576"},
       {"1048577"},
       "spec.rules[0].retry.contentBytesMax",
       "must be 0 to 1048576"},
  };
}

std::vector<Case> ClusterCases() {
  const auto endpoints = [](size_t count) {
    return Items(count, [](const std::string& i) { return Concat("{address: '::1', port: 1", i, "}"); });
  };
  return {
      {"ClusterSpec.endpoints",
       Spec("Cluster", "endpoints: [@]"),
       {endpoints(1), endpoints(1000)},
       {"", endpoints(1001)},
       "spec.endpoints",
       "must have 1 to 1000 items"},
      {"ClusterSpec.connect_timeout",
       Cluster("connectTimeout: @"),
       {"1ms", "1m"},
       {"0s", "1m1ms"},
       "spec.connectTimeout",
       "must be 1ms to 1m"},
      {"Endpoint.address",
       Spec("Cluster", "endpoints: [{port: 1, @}]"),
       {"address: 127.0.0.1", "address: '::1'"},
       {"address: ''"},
       "spec.endpoints[0].address",
       "is missing"},
      {"Endpoint.address",
       Spec("Cluster", "endpoints: [{port: 1, address: @}]"),
       {},
       {"localhost", "'[::1]'", "1.2.3", "1.2.3.4:5"},
       "spec.endpoints[0].address",
       kIp},
      {"Endpoint.port",
       Spec("Cluster", "endpoints: [{address: '::1'@}]"),
       {", port: 1", ", port: 65535"},
       {"", ", port: 0", ", port: 65536"},
       "spec.endpoints[0].port",
       kPort},
      {"Endpoint.weight",
       Spec("Cluster", "endpoints: [{address: '::1', port: 1, weight: @}]"),
       {"0", "1000"},
       {"1001"},
       "spec.endpoints[0].weight",
       "must be 0 to 1000"},
      {"ClusterLimits.connections",
       Cluster("limits: {connections: @}"),
       {"1", "1000000"},
       {"0", "1000001"},
       "spec.limits.connections",
       "must be 1 to 1000000"},
      {"ClusterLimits.pending",
       Cluster("limits: {pending: @}"),
       {"0", "1000000"},
       {"1000001"},
       "spec.limits.pending",
       "must be 0 to 1000000"},
      {"ClusterLimits.requests",
       Cluster("limits: {requests: @}"),
       {"1", "1000000"},
       {"0", "1000001"},
       "spec.limits.requests",
       "must be 1 to 1000000"},
      {"Ejection.consecutive_failures",
       Cluster("ejection: {consecutiveFailures: @}"),
       {"1", "1000"},
       {"0", "1001"},
       "spec.ejection.consecutiveFailures",
       "must be 1 to 1000"},
      {"Ejection.base_time",
       Cluster("ejection: {baseTime: @}"),
       {"1ms", "1h"},
       {"0s", "1h1ms"},
       "spec.ejection.baseTime",
       "must be 1ms to 1h"},
      {"Ejection.max_time",
       Cluster("ejection: {maxTime: @}"),
       {"1ms", "24h"},
       {"0s", "24h1ms"},
       "spec.ejection.maxTime",
       "must be 1ms to 24h"},
      {"Ejection.max_ejected_percent",
       Cluster("ejection: {maxEjectedPercent: @}"),
       {"0", "100"},
       {"101"},
       "spec.ejection.maxEjectedPercent",
       "must be 0 to 100"},
      {"ConnectionPool.max_idle_connections",
       Cluster("pool: {maxIdleConnections: @}"),
       {"0", "100000"},
       {"100001"},
       "spec.pool.maxIdleConnections",
       "must be 0 to 100000"},
      {"ConnectionPool.idle_timeout",
       Cluster("pool: {idleTimeout: @}"),
       {"1ms", "1h"},
       {"0s", "1h1ms"},
       "spec.pool.idleTimeout",
       "must be 1ms to 1h"},
      {"RetryConstraint.percent",
       Cluster("retryConstraint: {percent: @}"),
       {"0", "100"},
       {"101"},
       "spec.retryConstraint.percent",
       "must be 0 to 100"},
      {"RetryConstraint.min_per_second",
       Cluster("retryConstraint: {minPerSecond: @}"),
       {"0", "1000000"},
       {"1000001"},
       "spec.retryConstraint.minPerSecond",
       "must be 0 to 1000000"},
      {"UpstreamTls.hostname",
       Cluster("tls: {@}"),
       {"hostname: a.b"},
       {"hostname: ''"},
       "spec.tls.hostname",
       "is missing"},
      {"UpstreamTls.hostname", Cluster("tls: {hostname: @}"), {}, {"'*.a'", "A.b"}, "spec.tls.hostname", kDnsName},
      {"UpstreamTls.ca_certificate_refs",
       Cluster("tls: {hostname: a, caCertificateRefs: [@]}"),
       {"", Named(8, "")},
       {Named(9, "")},
       "spec.tls.caCertificateRefs",
       "must have at most 8 items"},
  };
}

std::vector<Case> AuthPolicyCases() {
  const std::string jwt = "issuer: i, audiences: [a], jwks: {secretRef: {name: s}}";
  const std::string method = "spec.authentication.anyOf[0].jwt";
  const std::string rule = "spec.authorization.rules[0]";
  const auto methods = [](size_t count) {
    return Items(count, [](const std::string& i) {
      return Concat("{jwt: {issuer: i", i, ", audiences: [a], jwks: {secretRef: {name: s}}}}");
    });
  };
  const auto headers = [](size_t count) {
    return Items(count, [](const std::string& i) { return Concat("{identity: Subject, header: h", i, "}"); });
  };
  return {
      {"AuthPolicySpec.target_refs",
       Spec("AuthPolicy", "authentication: {anyOf: [{anonymous: {}}]}, targetRefs: [@]"),
       {"{kind: Route, name: a}", Named(16, ", kind: Route")},
       {"", Named(17, ", kind: Route")},
       "spec.targetRefs",
       "must have 1 to 16 items"},
      {"AuthPolicySpec.identity_to_headers",
       Identity("@"),
       {"", headers(16)},
       {headers(17)},
       "spec.identityToHeaders",
       "must have at most 16 items"},
      {"Authentication.any_of",
       Policy("authentication: {anyOf: [@]}"),
       {methods(1), methods(8)},
       {"", methods(9)},
       "spec.authentication.anyOf",
       "must have 1 to 8 items"},
      {"JwtAuthentication.issuer",
       Jwt("audiences: [a], jwks: {secretRef: {name: s}}, @"),
       {"issuer: i", "issuer: " + A(1024)},
       {"issuer: ''"},
       method + ".issuer",
       "is missing"},
      {"JwtAuthentication.issuer",
       Jwt("audiences: [a], jwks: {secretRef: {name: s}}, issuer: @"),
       {},
       {A(1025)},
       method + ".issuer",
       "must be 1 to 1024 bytes"},
      {"JwtAuthentication.audiences",
       Jwt("issuer: i, jwks: {secretRef: {name: s}}, audiences: [@]"),
       {"a", Names(16)},
       {"", Names(17)},
       method + ".audiences",
       "must have 1 to 16 items"},
      {"JwtAuthentication.audiences",
       Jwt("issuer: i, jwks: {secretRef: {name: s}}, audiences: [a, @]"),
       {A(1024)},
       {"''", A(1025)},
       method + ".audiences[1]",
       "must be 1 to 1024 bytes"},
      {"JwtAuthentication.jwks",
       Jwt("issuer: i, audiences: [a], @"),
       {"jwks: {secretRef: {name: s}}"},
       {"clockSkew: 1s"},
       method + ".jwks",
       "is missing"},
      {"JwtAuthentication.clock_skew",
       Jwt(jwt + ", clockSkew: @"),
       {"0s", "10m"},
       {"10m1ms", "99999h"},
       method + ".clockSkew",
       "must be 0s to 10m"},
      {"JwksSource.secret_ref",
       Jwt("issuer: i, audiences: [a], jwks: {@}"),
       {"secretRef: {name: s}"},
       {""},
       method + ".jwks.secretRef",
       "is missing"},
      {"Authorization.default_action",
       Policy("authorization: {@}"),
       {"defaultAction: Allow"},
       {"rules: []"},
       "spec.authorization.defaultAction",
       "is missing"},
      {"Authorization.rules",
       Policy("authorization: {defaultAction: Deny, rules: [@]}"),
       {"", Named(64, ", action: Deny")},
       {Named(65, ", action: Deny")},
       "spec.authorization.rules",
       "must have at most 64 items"},
      {"AuthorizationRule.name", Rule_("action: Deny, @"), {"name: a"}, {"name: ''"}, rule + ".name", "is missing"},
      {"AuthorizationRule.name", Rule_("action: Deny, name: @"), {}, kNoLabels, rule + ".name", kLabelWords},
      {"AuthorizationRule.action",
       Rule_("name: a, @"),
       {"action: Allow"},
       {"operation: {}"},
       rule + ".action",
       "is missing"},
      {"Principal.subjects",
       Principal("subjects: [@]"),
       {"", Names(256)},
       {Names(257)},
       rule + ".principal.subjects",
       "must have at most 256 items"},
      {"Principal.subjects",
       Principal("subjects: [a, @]"),
       {A(1024)},
       {"''", A(1025)},
       rule + ".principal.subjects[1]",
       "must be 1 to 1024 bytes"},
      {"Principal.consumers",
       Principal("consumers: [@]"),
       {"", Names(256)},
       {Names(257)},
       rule + ".principal.consumers",
       "must have at most 256 items"},
      {"Principal.consumers",
       Principal("consumers: [a, @]"),
       {"b.c", "n/b.c"},
       {"''", "A", "a.b/c", "/c", "n/", "n/b/c"},
       rule + ".principal.consumers[1]",
       "must be the name of a Consumer, or namespace/name"},
      {"Principal.groups",
       Principal("groups: [@]"),
       {"", Names(256)},
       {Names(257)},
       rule + ".principal.groups",
       "must have at most 256 items"},
      {"Principal.groups",
       Principal("groups: [a, @]"),
       {A(63)},
       {"''", A(64)},
       rule + ".principal.groups[1]",
       "must be 1 to 63 bytes"},
      {"Principal.claims",
       Principal("claims: {@}"),
       {"", Entries(16)},
       {Entries(17)},
       rule + ".principal.claims",
       "must have at most 16 items"},
      {"Principal.claims",
       Principal("claims: {a: @}"),
       {"b", A(1024)},
       {"''", A(1025)},
       rule + ".principal.claims.a",
       kEntry},
      {"Operation.methods",
       Operation("methods: [@]"),
       {"", Times(9, "GET, ")},
       {Times(10, "GET, ")},
       rule + ".operation.methods",
       "must have at most 9 items"},
      {"Operation.methods",
       Operation("methods: [GET, @]"),
       {"PUT"},
       {"''", "get"},
       rule + ".operation.methods[1]",
       kMethods},
      {"Operation.paths",
       Operation("paths: [@]"),
       {"", Times(64, "{value: /}, ")},
       {Times(65, "{value: /}, ")},
       rule + ".operation.paths",
       "must have at most 64 items"},
      {"Operation.hosts",
       Operation("hosts: [@]"),
       {"", Names(64)},
       {Names(65)},
       rule + ".operation.hosts",
       "must have at most 64 items"},
      {"Operation.hosts",
       Operation("hosts: [a, @]"),
       {"'*.a'"},
       {"A", "'*'", "''"},
       rule + ".operation.hosts[1]",
       kHostnameWords},
      {"IdentityHeader.identity",
       Identity("{@}"),
       {"identity: Subject, header: a"},
       {"header: a"},
       "spec.identityToHeaders[0].identity",
       "is missing"},
      {"IdentityHeader.header",
       Identity("{identity: Subject, header: @}"),
       {"X-User", A(256)},
       {"'a b'", A(257)},
       "spec.identityToHeaders[0].header",
       kFieldNameWords},
      {"IdentityHeader.claim",
       Identity("{identity: Claim, header: a, claim: @}"),
       {"a", A(256)},
       {A(257)},
       "spec.identityToHeaders[0].claim",
       "must be 1 to 256 bytes"},
  };
}

std::vector<Case> OtherCases() {
  const std::string claims = Consumer("{jwt: {issuer: i, claims: {@}}}");
  const auto credentials = [](size_t count) { return Times(count, std::string(kCredential) + ", "); };
  const auto grants = [](size_t count, const std::string& item) { return Times(count, item + ", "); };
  return {
      {"ConsumerSpec.groups",
       Consumer(kCredential, "groups: [@]"),
       {"", Names(64)},
       {Names(65)},
       "spec.groups",
       "must have at most 64 items"},
      {"ConsumerSpec.groups",
       Consumer(kCredential, "groups: [a, @]"),
       {A(63)},
       {"''", A(64)},
       "spec.groups[1]",
       "must be 1 to 63 bytes"},
      {"ConsumerSpec.credentials",
       Consumer("@"),
       {credentials(1), credentials(16)},
       {"", credentials(17)},
       "spec.credentials",
       "must have 1 to 16 items"},
      {"JwtCredential.issuer",
       Consumer("{jwt: {claims: {a: b}, @}}"),
       {"issuer: i"},
       {"issuer: ''"},
       "spec.credentials[0].jwt.issuer",
       "is missing"},
      {"JwtCredential.issuer",
       Consumer("{jwt: {claims: {a: b}, issuer: @}}"),
       {A(1024)},
       {A(1025)},
       "spec.credentials[0].jwt.issuer",
       "must be 1 to 1024 bytes"},
      {"JwtCredential.claims",
       claims,
       {Entries(1), Entries(16)},
       {"", Entries(17)},
       "spec.credentials[0].jwt.claims",
       "must have 1 to 16 items"},
      {"JwtCredential.claims",
       claims,
       {A(256) + ": " + A(1024)},
       {"a: ''", "a: " + A(1025)},
       "spec.credentials[0].jwt.claims.a",
       kEntry},
      {"JwtCredential.claims", claims, {}, {"'': a"}, "spec.credentials[0].jwt.claims[\"\"]", kEntry},
      {"ReferenceGrantSpec.from",
       Grant("@", kTo),
       {kFrom, grants(16, kFrom)},
       {"", grants(17, kFrom)},
       "spec.from",
       "must have 1 to 16 items"},
      {"ReferenceGrantSpec.to",
       Grant(kFrom, "@"),
       {kTo, grants(16, kTo)},
       {"", grants(17, kTo)},
       "spec.to",
       "must have 1 to 16 items"},
      {"ReferenceGrantFrom.group",
       Grant("{kind: Route, namespace: n, group: @}", kTo),
       {"''", "portico.dev", "gateway.networking.k8s.io"},
       {"apps"},
       "spec.from[0].group",
       "must be portico.dev or gateway.networking.k8s.io, not apps"},
      {"ReferenceGrantFrom.kind",
       Grant("{namespace: n, kind: @}", kTo),
       {"Gateway", "Route", "HTTPRoute", "Composition", "Cluster", "AuthPolicy", "CachePolicy", "RateLimitPolicy"},
       {"Secret"},
       "spec.from[0].kind",
       "must be Gateway, Route, HTTPRoute, Composition, Cluster, AuthPolicy, CachePolicy or RateLimitPolicy, not "
       "Secret"},
      {"ReferenceGrantFrom.namespace",
       Grant("{kind: Route, @}", kTo),
       {"namespace: n"},
       {"group: ''"},
       "spec.from[0].namespace",
       "is missing"},
      {"ReferenceGrantFrom.namespace",
       Grant("{kind: Route, namespace: @}", kTo),
       {},
       kNoLabels,
       "spec.from[0].namespace",
       kLabelWords},
      {"ReferenceGrantTo.group",
       Grant(kFrom, "{kind: Secret, group: @}"),
       {"''", "portico.dev"},
       {"core"},
       "spec.to[0].group",
       "must be portico.dev, not core"},
      {"ReferenceGrantTo.kind",
       Grant(kFrom, "{kind: @}"),
       {"Gateway", "Route", "Cluster", "Composition", "Secret"},
       {"Service", "Consumer"},
       "spec.to[0].kind",
       "must be Gateway, Route, Cluster, Composition or Secret, not @"},
      {"ReferenceGrantTo.name",
       Grant(kFrom, "{kind: Secret, name: @}"),
       {"''", "a.b"},
       kNoNames,
       "spec.to[0].name",
       kSubdomain},
      {"TlsKeyPair.certificate",
       Spec("Secret", "tls: {privateKey: {inline: k}, @}"),
       {"certificate: {inline: c}"},
       {""},
       "spec.tls.certificate",
       "is missing"},
      {"TlsKeyPair.private_key",
       Spec("Secret", "tls: {certificate: {inline: c}, @}"),
       {"privateKey: {inline: k}"},
       {""},
       "spec.tls.privateKey",
       "is missing"},
  };
}

std::vector<Case> RateLimitPolicyCases() {
  const auto limits = [](size_t count) { return Named(count, ", limit: {requests: 1, per: 1s}"); };
  const std::string limit = "spec.limits[0]";
  const std::string field = Limits("{name: a, limit: {requests: 1, per: 1s}, @}");
  return {
      {"RateLimitPolicySpec.target_refs",
       Spec("RateLimitPolicy", "limits: [{name: a, limit: {requests: 1, per: 1s}}], targetRefs: [@]"),
       {"{kind: Gateway, name: a}", Named(16, ", kind: Route")},
       {"", Named(17, ", kind: Route")},
       "spec.targetRefs",
       "must have 1 to 16 items"},
      {"RateLimitPolicySpec.limits",
       Limits("@"),
       {limits(1), limits(16)},
       {"", limits(17)},
       "spec.limits",
       "must have 1 to 16 items"},
      {"RateLimit.name",
       Limits("{limit: {requests: 1, per: 1s}, @}"),
       {"name: a"},
       {""},
       limit + ".name",
       "is missing"},
      {"RateLimit.name",
       Limits("{name: @, limit: {requests: 1, per: 1s}}"),
       {"per-address"},
       kNoLabels,
       limit + ".name",
       kLabelWords},
      {"RateLimit.header",
       Limits("{name: a, key: [Header], header: @, limit: {requests: 1, per: 1s}}"),
       {"X-Tenant"},
       {"'a b'", A(257)},
       limit + ".header",
       kFieldNameWords},
      {"RateLimit.limit",
       Limits("{name: a, @}"),
       {"limit: {requests: 1, per: 1s}"},
       {""},
       limit + ".limit",
       "is missing"},
      {"RateLimit.burst",
       field,
       {"burst: 1", "burst: 1000000"},
       {"burst: 0", "burst: 1000001"},
       limit + ".burst",
       "must be 1 to 1000000"},
      {"RequestRate.requests",
       Limits("{name: a, limit: {per: 1s, @}}"),
       {"requests: 1", "requests: 1000000"},
       {"", "requests: 0", "requests: 1000001"},
       limit + ".limit.requests",
       "must be 1 to 1000000"},
      {"RequestRate.per",
       Limits("{name: a, limit: {requests: 1, @}}"),
       {"per: 1s", "per: 1h"},
       {""},
       limit + ".limit.per",
       "is missing"},
  };
}

std::vector<Case> AllCases() {
  std::vector<Case> all;
  for (auto* cases :
       {CommonCases, GatewayCases, RouteCases, ClusterCases, AuthPolicyCases, RateLimitPolicyCases, OtherCases}) {
    for (Case& row : cases())
      all.push_back(std::move(row));
  }
  return all;
}

TEST(CheckBounds, TakesWhatIsWithinAndNamesWhatIsNot) {
  for (const Case& row : AllCases()) {
    for (const std::string& value : row.good)
      EXPECT_EQ(Judge(row, value), "") << row.rule << ": " << value;
    for (const std::string& value : row.bad) {
      std::string words = row.words;
      if (words.ends_with('@')) words.replace(words.size() - 1, 1, value);
      EXPECT_EQ(Judge(row, value), Concat(row.path, ": ", words)) << row.rule << ": " << value;
    }
  }
}

// Bounds that other rules keep from being reached by a row of their own.
const std::set<std::string_view> kUnreachable = {"RouteRule.filters", "RateLimit.key"};

TEST(CheckBounds, EveryRuleHasItsRows) {
  std::set<std::string> good, bad;
  for (const Case& row : AllCases()) {
    EXPECT_NE(FindRule(row.rule), nullptr) << row.rule;
    if (!row.good.empty()) good.insert(row.rule);
    if (!row.bad.empty()) bad.insert(row.rule);
  }
  for (const Rule& rule : Rules()) {
    if (kUnreachable.contains(rule.field)) continue;
    EXPECT_TRUE(good.contains(std::string(rule.field))) << rule.field;
    EXPECT_TRUE(bad.contains(std::string(rule.field))) << rule.field;
  }
}

}  // namespace
}  // namespace portico::check
