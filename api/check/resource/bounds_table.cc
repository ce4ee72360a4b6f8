#include "api/check/resource/bounds_table.h"

#include <array>
#include <map>
#include <vector>

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/check/resource/names.h"
#include "api/yaml/scalar.h"
#include "google/protobuf/duration.pb.h"

namespace portico::check {
namespace {

using Texts = std::span<const std::string_view>;

constexpr std::string_view kOwnGroup[] = {"portico.dev"};
constexpr std::string_view kRouteGroups[] = {"portico.dev", "gateway.networking.k8s.io"};
constexpr std::string_view kSecret[] = {"Secret"};
constexpr std::string_view kGateway[] = {"Gateway"};
constexpr std::string_view kTargets[] = {"Gateway", "Route"};
constexpr std::string_view kCluster[] = {"Cluster"};
constexpr std::string_view kEndpoints[] = {"Endpoints"};
constexpr std::string_view kBackends[] = {"Cluster", "Composition"};
constexpr std::string_view kRoutes[] = {"Route", "HTTPRoute"};
constexpr std::string_view kReferring[] = {"Gateway",    "Route",       "HTTPRoute",       "Composition", "Cluster",
                                           "AuthPolicy", "CachePolicy", "RateLimitPolicy", "CachePurge"};
constexpr std::string_view kReferredTo[] = {"Gateway", "Route", "Cluster", "Composition", "Secret", "Endpoints"};
constexpr std::string_view kSchemes[] = {"http", "https"};
constexpr uint64_t kRedirects[] = {301, 302, 303, 307, 308};

constexpr Choice OneOf(Texts texts) {
  return {texts, {}};
}
constexpr Count AtMost(size_t most) {
  return {0, most};
}
constexpr Bytes Long(size_t least, size_t most) {
  return {least, most, 0, 0};
}

constexpr int64_t kMinute_ms = 60'000;
constexpr int64_t kHour_ms = 60 * kMinute_ms;
constexpr int64_t kDay_ms = 24 * kHour_ms;
constexpr Number kPort{1, 65535};
constexpr Bytes kClaims{1, 1024, 1, 256};
constexpr Grammar kLabel{IsLabel, "must be lower-case letters, digits and '-', at most 63 bytes"};
constexpr Grammar kName{IsSubdomain, "must be lower-case letters, digits, '-' and '.', at most 253 bytes"};
constexpr Grammar kDnsName{IsSubdomain, "must be a DNS name in lower case, without wildcard"};
constexpr Grammar kHostname{IsHostname, "must be a DNS name in lower case, or `*.` and one"};
constexpr Grammar kFieldName{IsFieldName, "must be the name of a field (RFC 9110 section 5.1), at most 256 bytes"};
constexpr Grammar kFieldValue{IsFieldValue, "must be at most 4096 bytes and hold no control character"};
constexpr Grammar kCookieName{IsFieldName, "must be the name of a cookie (RFC 6265 section 4.1.1), at most 256 bytes"};
constexpr Grammar kSha256{IsSha256, "must be 64 hexadecimal digits in lower case, and not the digest of an empty key"};
constexpr Grammar kMethod{IsMethod, kMethodsWords};
constexpr Grammar kIpAddress{IsIpAddress, "must be an IPv4 or IPv6 address"};
constexpr Grammar kNetwork{IsNetwork, "must be a network (10.0.0.0/8) without bits below its prefix, or one address"};
bool IsHost(std::string_view text) {
  return IsSubdomain(text) || IsIpAddress(text);
}
constexpr Grammar kHost{IsHost, "must be a DNS name in lower case or an IP address, without port"};
constexpr Grammar kConsumerName{IsQualifiedName, "must be the name of a Consumer, or namespace/name"};
constexpr Grammar kTokenName{IsQualifiedName, "must be the name of a Token, or namespace/name"};
constexpr Grammar kNewPath{IsReplacementPath,
                           "must begin with / and be at most 1024 visible ASCII characters without ? and #"};

bool IsNewPrefix(std::string_view text) {
  return text.empty() || IsReplacementPath(text);
}
constexpr Grammar kNewPrefix{
    IsNewPrefix, "must be empty, or begin with / and be at most 1024 visible ASCII characters without ? and #"};

bool IsCorsMethod(std::string_view text) {
  return text == "*" || IsMethod(text);
}
bool IsCorsHeader(std::string_view text) {
  return text == "*" || IsFieldName(text);
}
constexpr Grammar kOrigin{
    IsCorsOrigin,
    "must be * or scheme://host[:port] in lower case, where the host is a DNS name, `*.` and one, "
    "or an address"};
constexpr Grammar kCorsMethod{IsCorsMethod,
                              "must be * or GET, HEAD, POST, PUT, DELETE, CONNECT, OPTIONS, TRACE or PATCH"};
constexpr Grammar kCorsHeader{IsCorsHeader, "must be * or the name of a field, at most 256 bytes"};

bool IsAbsoluteFile(std::string_view text) {
  return text.starts_with('/') && text.size() <= 1024 && text.find('\0') == text.npos;
}
constexpr Grammar kAbsoluteFile{IsAbsoluteFile, "must be an absolute path of at most 1024 bytes"};

constexpr Rule kRules[] = {
    // common.proto
    {"Metadata.name", kRequired, kName},
    {"Metadata.namespace", kOptional, kLabel},
    {"Metadata.labels", AtMost(64), Bytes{0, 63, 1, 317}},
    {"ObjectReference.group", kOptional, OneOf(kOwnGroup)},
    {"ObjectReference.kind", kOptional, OneOf(kSecret)},
    {"ObjectReference.namespace", kOptional, kLabel},
    {"ObjectReference.name", kRequired, kName},
    {"ParentReference.group", kOptional, OneOf(kRouteGroups)},
    {"ParentReference.kind", kOptional, OneOf(kGateway)},
    {"ParentReference.namespace", kOptional, kLabel},
    {"ParentReference.name", kRequired, kName},
    {"ParentReference.section_name", kOptional, kName},
    {"ParentReference.port", kOptional, kPort},
    {"TargetReference.group", kOptional, OneOf(kOwnGroup)},
    {"TargetReference.kind", kRequired, OneOf(kTargets)},
    {"TargetReference.namespace", kOptional, kLabel},
    {"TargetReference.name", kRequired, kName},
    {"TargetReference.section_name", kOptional, kName},
    {"BackendObjectReference.group", kOptional, OneOf(kOwnGroup)},
    {"BackendObjectReference.kind", kOptional, OneOf(kCluster)},
    {"BackendObjectReference.namespace", kOptional, kLabel},
    {"BackendObjectReference.name", kRequired, kName},
    {"BackendObjectReference.port", kOptional, kPort},
    {"Header.name", kRequired, kFieldName},
    {"Header.value", kOptional, kFieldValue},
    // gateway.proto
    {"GatewaySpec.listeners", {1, 64}, {}},
    {"GatewaySpec.addresses", AtMost(16), {}},
    {"Listener.name", kRequired, kName},
    {"Listener.port", kRequired, kPort},
    {"Listener.protocol", kRequired, {}},
    {"Listener.hostname", kOptional, kHostname},
    {"ListenerTls.certificate_refs", {1, 64}, {}},
    {"AllowedRoutes.kinds", AtMost(8), {}},
    {"RouteGroupKind.group", kOptional, OneOf(kRouteGroups)},
    {"RouteGroupKind.kind", kRequired, OneOf(kRoutes)},
    {"GatewayAddress.value", kRequired, kIpAddress},
    {"ClientAddress.trusted_networks", AtMost(256), kNetwork},
    {"ClientAddress.forwarded_hops", kOptional, Number{1, 16}},
    {"GatewayTimeouts.request_head", kOptional, Time{1, kHour_ms}},
    {"GatewayTimeouts.response_head", kOptional, Time{1, kDay_ms}},
    {"GatewayTimeouts.stream_idle", kOptional, Time{1, kDay_ms}},
    {"GatewayTimeouts.connection_idle", kOptional, Time{1, kDay_ms}},
    {"GatewayTimeouts.stream_duration_max", kOptional, Time{1, kDay_ms}},
    {"GatewayLimits.request_head_bytes_max", kOptional, Number{1024, 1048576}},
    {"GatewayLimits.request_fields_max", kOptional, Number{1, 10000}},
    {"GatewayLimits.request_target_bytes_max", kOptional, Number{64, 65536}},
    {"GatewayLimits.concurrent_streams_max", kOptional, Number{1, 10000}},
    {"GatewayLimits.connections_max", kOptional, Number{1, 10000000}},
    {"GatewayLimits.request_content_bytes_per_second_min", kOptional, Number{0, 1048576}},
    {"ServerTiming.networks", {1, 256}, kNetwork},
    {"GatewayLimits.cache_bytes_max", kOptional, Number{1048576, uint64_t{1} << 40}},
    {"AccessLog.file", kOptional, kAbsoluteFile},
    // route.proto
    {"RouteSpec.parent_refs", AtMost(32), {}},
    {"RouteSpec.hostnames", AtMost(64), kHostname},
    {"RouteSpec.rules", {1, 256}, {}},
    {"RouteRule.name", kOptional, kName},
    {"RouteRule.matches", AtMost(64), {}},
    {"RouteRule.filters", AtMost(16), {}},
    {"RouteRule.backend_refs", AtMost(16), {}},
    {"RouteMatch.headers", AtMost(16), {}},
    {"RouteMatch.query_params", AtMost(16), {}},
    {"RouteMatch.method", kOptional, kMethod},
    {"HeaderMatch.name", kRequired, kFieldName},
    {"HeaderMatch.value", kRequired, Long(1, 4096)},
    {"QueryParamMatch.name", kRequired, Long(1, 256)},
    {"QueryParamMatch.value", kRequired, Long(1, 1024)},
    {"HeaderModifier.set", AtMost(16), {}},
    {"HeaderModifier.add", AtMost(16), {}},
    {"HeaderModifier.remove", AtMost(16), kFieldName},
    {"PathModifier.replace_full_path", kOptional, kNewPath},
    {"PathModifier.replace_prefix_match", kOptional, kNewPrefix},
    {"RequestRedirect.scheme", kOptional, OneOf(kSchemes)},
    {"RequestRedirect.hostname", kOptional, kDnsName},
    {"RequestRedirect.port", kOptional, kPort},
    {"RequestRedirect.status_code", kOptional, Choice{{}, kRedirects}},
    {"UrlRewrite.hostname", kOptional, kDnsName},
    {"DirectResponse.status", kRequired, Number{200, 599}},
    {"DirectResponse.headers", AtMost(16), {}},
    {"DirectResponse.body", kOptional, Long(0, 65536)},
    {"Cors.allow_origins", AtMost(64), kOrigin},
    {"Cors.allow_methods", AtMost(9), kCorsMethod},
    {"Cors.allow_headers", AtMost(64), kCorsHeader},
    {"Cors.expose_headers", AtMost(64), kCorsHeader},
    {"Cors.max_age", kOptional, Number{1, 86400}},
    {"BackendRef.group", kOptional, OneOf(kOwnGroup)},
    {"BackendRef.kind", kOptional, OneOf(kBackends)},
    {"BackendRef.name", kRequired, kName},
    {"BackendRef.namespace", kOptional, kLabel},
    {"BackendRef.port", kOptional, kPort},
    {"BackendRef.weight", kOptional, Number{0, 1000000}},
    {"RouteTimeouts.request", kOptional, Time{1, kDay_ms, true}},
    {"RouteTimeouts.backend_request", kOptional, Time{1, kDay_ms, true}},
    {"RouteRetry.codes", AtMost(16), Number{400, 599}},
    {"RouteRetry.attempts", kOptional, Number{1, 10}},
    {"RouteRetry.backoff", kOptional, Time{0, kMinute_ms}},
    {"RouteRetry.methods", AtMost(9), kMethod},
    {"RouteRetry.content_bytes_max", kOptional, Number{0, 1048576}},
    // cluster.proto
    {"ClusterSpec.endpoints", AtMost(1000), {}},
    {"ClusterSpec.connect_timeout", kOptional, Time{1, kMinute_ms}},
    {"DnsEndpoints.hostname", kRequired, kDnsName},
    {"DnsEndpoints.port", kRequired, kPort},
    {"Endpoint.address", kRequired, kIpAddress},
    {"Endpoint.port", kRequired, kPort},
    {"Endpoint.weight", kOptional, Number{0, 1000}},
    {"ClusterLimits.connections", kOptional, Number{1, 1000000}},
    {"ClusterLimits.pending", kOptional, Number{0, 1000000}},
    {"ClusterLimits.requests", kOptional, Number{1, 1000000}},
    {"Ejection.consecutive_failures", kOptional, Number{1, 1000}},
    {"Ejection.base_time", kOptional, Time{1, kHour_ms}},
    {"Ejection.max_time", kOptional, Time{1, kDay_ms}},
    {"Ejection.max_ejected_percent", kOptional, Number{0, 100}},
    {"EndpointsReference.group", kOptional, OneOf(kOwnGroup)},
    {"EndpointsReference.kind", kOptional, OneOf(kEndpoints)},
    {"EndpointsReference.namespace", kOptional, kLabel},
    {"EndpointsReference.name", kRequired, kName},
    {"EndpointsSpec.endpoints", AtMost(1000), {}},
    {"ConnectionPool.max_idle_connections", kOptional, Number{0, 100000}},
    {"ConnectionPool.idle_timeout", kOptional, Time{1, kHour_ms}},
    {"RetryConstraint.percent", kOptional, Number{0, 100}},
    {"RetryConstraint.min_per_second", kOptional, Number{0, 1000000}},
    {"UpstreamTls.hostname", kRequired, kDnsName},
    {"UpstreamTls.ca_certificate_refs", AtMost(8), {}},
    // auth_policy.proto
    {"AuthPolicySpec.target_refs", {1, 16}, {}},
    {"AuthPolicySpec.identity_to_headers", AtMost(16), {}},
    {"Authentication.any_of", {1, 8}, {}},
    {"JwtAuthentication.issuer", kRequired, Long(1, 1024)},
    // Without an audience a token that was made for another service would open this one (RFC 8725 section 3.9).
    {"JwtAuthentication.audiences", {1, 16}, Long(1, 1024)},
    {"JwtAuthentication.jwks", kRequired, {}},
    {"JwtAuthentication.clock_skew", kOptional, Time{0, 10 * kMinute_ms}},
    {"JwksSource.secret_ref", kRequired, {}},
    {"ApiKeyAuthentication.extract_from", kRequired, {}},
    {"KeyExtraction.headers", AtMost(8), {}},
    {"KeyExtraction.cookies", AtMost(8), {}},
    {"KeyExtraction.query_params", AtMost(8), {}},
    {"KeyHeader.name", kRequired, kFieldName},
    {"KeyCookie.name", kRequired, kCookieName},
    {"KeyQueryParam.name", kRequired, Long(1, 256)},
    {"Authorization.default_action", kRequired, {}},
    {"Authorization.rules", AtMost(64), {}},
    {"AuthorizationRule.name", kRequired, kLabel},
    {"AuthorizationRule.action", kRequired, {}},
    {"Principal.subjects", AtMost(256), Long(1, 1024)},
    {"Principal.consumers", AtMost(256), kConsumerName},
    {"Principal.groups", AtMost(256), Long(1, 63)},
    {"Principal.claims", AtMost(16), kClaims},
    {"Operation.methods", AtMost(9), kMethod},
    {"Operation.paths", AtMost(64), {}},
    {"Operation.hosts", AtMost(64), kHostname},
    {"IdentityHeader.identity", kRequired, {}},
    {"IdentityHeader.header", kRequired, kFieldName},
    {"IdentityHeader.claim", kOptional, Long(1, 256)},
    // cache_policy.proto
    {"CachePolicySpec.target_refs", {1, 16}, {}},
    {"CachePolicySpec.default_ttl", kOptional, Time{1000, kDay_ms}},
    {"CachePolicySpec.content_bytes_max", kOptional, Number{1, uint64_t{1} << 30}},
    {"CachePurgeSpec.target_ref", kRequired, {}},
    {"CachePurgeSpec.host", kOptional, kHost},
    {"CachePurgeSpec.at", kRequired, {}},
    // rate_limit_policy.proto
    {"RateLimitPolicySpec.target_refs", {1, 16}, {}},
    {"RateLimitPolicySpec.limits", {1, 16}, {}},
    {"RateLimit.name", kRequired, kLabel},
    {"RateLimit.key", AtMost(3), {}},
    {"RateLimit.header", kOptional, kFieldName},
    {"RateLimit.limit", kRequired, {}},
    {"RateLimit.burst", kOptional, Number{1, 1000000}},
    {"RequestRate.requests", kRequired, Number{1, 1000000}},
    {"RequestRate.per", kRequired, {}},  // its bounds have a reason: rate_limit_policy.cc
    // consumer.proto
    {"ConsumerSpec.groups", AtMost(64), Long(1, 63)},
    {"ConsumerSpec.credentials", {1, 16}, {}},
    {"JwtCredential.issuer", kRequired, Long(1, 1024)},
    {"JwtCredential.claims", {1, 16}, kClaims},
    {"ApiKeyCredential.sha256", kRequired, kSha256},
    // reference_grant.proto
    {"ReferenceGrantSpec.from", {1, 16}, {}},
    {"ReferenceGrantSpec.to", {1, 16}, {}},
    {"ReferenceGrantFrom.group", kOptional, OneOf(kRouteGroups)},
    {"ReferenceGrantFrom.kind", kRequired, OneOf(kReferring)},
    {"ReferenceGrantFrom.namespace", kRequired, kLabel},
    {"ReferenceGrantTo.group", kOptional, OneOf(kOwnGroup)},
    {"ReferenceGrantTo.kind", kRequired, OneOf(kReferredTo)},
    {"ReferenceGrantTo.name", kOptional, kName},
    // access.proto
    {"RoleSpec.role", kRequired, {}},
    {"RoleSpec.subjects", {1, 64}, {}},
    {"RoleSubject.certificate", kOptional, Long(1, 1024)},
    {"RoleSubject.token", kOptional, kTokenName},
    {"TokenSpec.sha256", kRequired, kSha256},
    // secret.proto
    {"TlsKeyPair.certificate", kRequired, {}},
    {"TlsKeyPair.private_key", kRequired, {}},
};

std::string Duration(int64_t milliseconds) {
  google::protobuf::Duration duration;
  duration.set_seconds(milliseconds / 1000);
  duration.set_nanos(static_cast<int32_t>(milliseconds % 1000) * 1'000'000);
  return *yaml::FormatDuration(duration);
}

// "a", "a or b", "a, b or c".
std::string Alternatives(const std::vector<std::string>& words) {
  std::vector<std::string> first(words.begin(), words.end() - 1);
  return first.empty() ? words.back() : base::Concat(base::Join(first, ", "), " or ", words.back());
}

std::string BytesWords(const Bytes& bytes) {
  const std::string value = bytes.least == 0 ? base::Concat("at most ", bytes.most, " bytes")
                                             : base::Concat(bytes.least, " to ", bytes.most, " bytes");
  if (bytes.key_most == 0) return base::Concat("must be ", value);
  return base::Concat("must have a key of ", bytes.key_least, " to ", bytes.key_most, " bytes and a value of ", value);
}

}  // namespace

std::span<const Rule> Rules() {
  return kRules;
}

const Rule* FindRule(std::string_view field) {
  static const std::map<std::string_view, const Rule*> kByField = [] {
    std::map<std::string_view, const Rule*> by_field;
    for (const Rule& rule : kRules)
      by_field[rule.field] = &rule;
    return by_field;
  }();
  const auto found = kByField.find(field);
  return found == kByField.end() ? nullptr : found->second;
}

std::string Words(const Rule& rule) {
  if (const auto* number = std::get_if<Number>(&rule.value)) {
    return base::Concat("must be ", number->least, " to ", number->most);
  }
  if (const auto* time = std::get_if<Time>(&rule.value)) {
    return base::Concat("must be ", time->zero ? "0s (none) or " : "", Duration(time->least_ms), " to ",
                        Duration(time->most_ms));
  }
  if (const auto* bytes = std::get_if<Bytes>(&rule.value)) return BytesWords(*bytes);
  if (const auto* grammar = std::get_if<Grammar>(&rule.value)) return std::string(grammar->words);
  std::vector<std::string> words;
  if (const auto* choice = std::get_if<Choice>(&rule.value)) {
    words.assign(choice->texts.begin(), choice->texts.end());
    for (const uint64_t number : choice->numbers)
      words.push_back(std::to_string(number));
  }
  return words.empty() ? "" : base::Concat("must be ", Alternatives(words));
}

std::string CountWords(const Count& count) {
  return count.least == 0 ? base::Concat("must have at most ", count.most, " items")
                          : base::Concat("must have ", count.least, " to ", count.most, " items");
}

}  // namespace portico::check
