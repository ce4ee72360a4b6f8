#ifndef PORTICO_DATAPLANE_OBSERVE_FAMILIES_H_
#define PORTICO_DATAPLANE_OBSERVE_FAMILIES_H_

#include <array>
#include <string_view>

#include "dataplane/observe/metrics.h"

// Every metric of the proxy, in one list. Names follow the Prometheus conventions: base units, `_total` for counters.

namespace portico::observe {

// The label `code_class`: "1xx" to "5xx"; "none" when no response was sent (status 0, or no status at all).
constexpr std::string_view CodeClass(unsigned status) {
  constexpr std::string_view kClasses[] = {"1xx", "2xx", "3xx", "4xx", "5xx"};
  return status >= 100 && status <= 599 ? kClasses[status / 100 - 1] : "none";
}

inline constexpr Family kRequests = {"portico_requests_total",
                                     "Exchanges finished, by route and class of status.",
                                     MetricKind::kCounter,
                                     {"route", "code_class"}};
inline constexpr Family kRequestDuration = {"portico_request_duration_seconds",
                                            "Time from the request's first byte to the exchange's end.",
                                            MetricKind::kHistogram,
                                            {"route"}};
// outcome: what the caller says of the attempt, from a fixed list ("success", "connect_failure", "timeout", ...).
inline constexpr Family kUpstreamRequests = {"portico_upstream_requests_total",
                                             "Attempts sent to a cluster, by outcome.",
                                             MetricKind::kCounter,
                                             {"cluster", "outcome"}};
// outcome: of the retry ("success", "failure", "cancelled"), or why none was made ("over_budget", "over_content",
// "retry_after", "deadline").
inline constexpr Family kRetries = {"portico_retries_total",
                                    "Requests sent again as their rule says, or not, by outcome.",
                                    MetricKind::kCounter,
                                    {"cluster", "outcome"}};
// outcome: "ok"; "null", "fallback" (of some calls of the step at least); "failed", the whole with it; "unfinished"
// when the whole ended.
inline constexpr Family kCompositionSteps = {"portico_composition_steps_total",
                                             "Steps of compositions, by what became of them.",
                                             MetricKind::kCounter,
                                             {"composition", "step", "outcome"}};
inline constexpr Family kCompositionStepDuration = {
    "portico_composition_step_duration_seconds",
    "Time from a step's first call to its last answer, of steps that began.",
    MetricKind::kHistogram,
    {"composition", "step"}};
// outcome: "answered", "no_address", "no_such_name", "server_failure", "timeout", "malformed" (net/resolver.h).
inline constexpr Family kDnsLookups = {"portico_dns_lookups_total",
                                       "Lookups of a cluster's name, one family of addresses each, by outcome.",
                                       MetricKind::kCounter,
                                       {"cluster", "outcome"}};
inline constexpr Family kUpstreamConnections = {
    "portico_upstream_connections", "Open connections to a cluster.", MetricKind::kGauge, {"cluster"}};
inline constexpr Family kEndpointEjections = {"portico_endpoint_ejections_total",
                                              "Endpoints of a cluster ejected because they failed.",
                                              MetricKind::kCounter,
                                              {"cluster"}};
inline constexpr Family kEndpointsEjected = {
    "portico_endpoints_ejected", "Endpoints of a cluster that are ejected now.", MetricKind::kGauge, {"cluster"}};
inline constexpr Family kDownstreamConnections = {
    "portico_downstream_connections", "Open connections of a listener.", MetricKind::kGauge, {"listener"}};
// Also those that did not come to an end in time.
inline constexpr Family kTlsHandshakeFailures = {"portico_tls_handshake_failures_total",
                                                 "TLS handshakes with clients that failed.",
                                                 MetricKind::kCounter,
                                                 {"listener"}};
// limit: "namespace/policy/limit". outcome: "passed", "limited" (429), "would_limit" (it only reports), "skipped" (it
// misses the key). What another limit refused afterwards is "passed" here.
inline constexpr Family kRateLimitRequests = {"portico_rate_limit_requests_total",
                                              "Requests that a limit has judged, by outcome.",
                                              MetricKind::kCounter,
                                              {"limit", "outcome"}};
inline constexpr Family kRateLimitOverflows = {
    "portico_rate_limit_overflows_total",
    "Requests that shared one bucket, since the limit had no place for another key.",
    MetricKind::kCounter,
    {"limit"}};
inline constexpr Family kRateLimitKeys = {
    "portico_rate_limit_keys", "Keys that a limit remembers.", MetricKind::kGauge, {"limit"}};
inline constexpr Family kConfigurationRevision = {
    "portico_configuration_revision", "Revision of the configuration in use.", MetricKind::kGauge, {}};
inline constexpr Family kConfigurationLastReloadSuccessful = {"portico_configuration_last_reload_successful",
                                                              "1 if the last reload was accepted, 0 if it was refused.",
                                                              MetricKind::kGauge,
                                                              {}};
inline constexpr Family kTlsCertificateNotAfter = {"portico_tls_certificate_not_after_seconds",
                                                   "End of the validity of a certificate in use, in Unix time.",
                                                   MetricKind::kGauge,
                                                   {"secret"}};
inline constexpr Family kMisbehaviour = {"portico_misbehaviour_total",
                                         "Violations counted against downstream connections.",
                                         MetricKind::kCounter,
                                         {"listener"}};
inline constexpr Family kAccessLogDroppedLines = {
    "portico_access_log_dropped_lines_total", "Access log lines that could not be written.", MetricKind::kCounter, {}};
inline constexpr Family kMemoryResident = {
    "portico_memory_resident_bytes", "Memory of the process that is in RAM.", MetricKind::kGauge, {}};

// outcome: what the cache did, as the access log has it: hit, miss, collapsed (waited for another's fetch), revalidated
// (the origin said that what was stored still holds), bypass.
inline constexpr Family kCacheRequests = {"portico_cache_requests_total",
                                          "Requests of rules that store responses, by what the cache did.",
                                          MetricKind::kCounter,
                                          {"outcome"}};
inline constexpr Family kCacheBytes = {
    "portico_cache_bytes", "Memory of stored responses, of those on their way in and out too.", MetricKind::kGauge, {}};
inline constexpr Family kCacheEntries = {
    "portico_cache_entries", "URIs of which responses are stored.", MetricKind::kGauge, {}};
inline constexpr Family kCacheEvictions = {
    "portico_cache_evictions_total", "URIs whose stored responses made room for others.", MetricKind::kCounter, {}};
inline constexpr Family kCachePurged = {
    "portico_cache_purged_total", "URIs whose stored responses were purged.", MetricKind::kCounter, {}};

inline constexpr std::array kFamilies = {&kRequests,
                                         &kRequestDuration,
                                         &kUpstreamRequests,
                                         &kRetries,
                                         &kDnsLookups,
                                         &kCompositionSteps,
                                         &kCompositionStepDuration,
                                         &kUpstreamConnections,
                                         &kEndpointEjections,
                                         &kEndpointsEjected,
                                         &kDownstreamConnections,
                                         &kTlsHandshakeFailures,
                                         &kRateLimitRequests,
                                         &kRateLimitOverflows,
                                         &kRateLimitKeys,
                                         &kConfigurationRevision,
                                         &kConfigurationLastReloadSuccessful,
                                         &kTlsCertificateNotAfter,
                                         &kMisbehaviour,
                                         &kAccessLogDroppedLines,
                                         &kMemoryResident,
                                         &kCacheRequests,
                                         &kCacheBytes,
                                         &kCacheEntries,
                                         &kCacheEvictions,
                                         &kCachePurged};

}  // namespace portico::observe

#endif  // PORTICO_DATAPLANE_OBSERVE_FAMILIES_H_
