#include "dataplane/upstream/build_cluster_config.h"

#include <optional>
#include <string>
#include <utility>

#include "api/base/check.h"
#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/tls/client_context.h"
#include "dataplane/upstream/origin_tls.h"

namespace portico::upstream {
namespace {

using portico::v1::ClusterSpec;

absl::Status Wrong(size_t index, const check::ResourceKey& secret, std::string_view what) {
  return absl::FailedPreconditionError(
      base::Concat("spec.tls.caCertificateRefs[", index, "]: ", secret.ToString(), " ", what));
}

// The bundles of all Secrets, one after another; nullopt: the system's authorities.
absl::StatusOr<std::optional<std::string>> CaCertificates(const ClusterSpec& spec, const check::ResourceKey& cluster,
                                                          const check::Configuration& configuration,
                                                          resolve::Grants& grants) {
  if (spec.tls().ca_certificate_refs().empty()) return std::optional<std::string>();
  std::string bundle;
  size_t index = 0;
  for (const auto& reference : spec.tls().ca_certificate_refs()) {
    const check::ResourceKey key{"Secret", check::ReferredNamespace(reference.namespace_(), cluster), reference.name()};
    const portico::v1::Resource* secret = configuration.Find(key);
    if (secret == nullptr || !grants.Permit(cluster, key)) return Wrong(index, key, "is not there or may not be used");
    const std::string& pem = secret->secret().spec().ca_certificates().inline_();
    if (pem.empty()) return Wrong(index, key, "has no caCertificates");
    bundle += pem;
    bundle += '\n';
    ++index;
  }
  return std::optional<std::string>(std::move(bundle));
}

absl::Status BuildSecurity(const ClusterSpec& spec, const check::ResourceKey& cluster,
                           const check::Configuration& configuration, resolve::Grants& grants, ClusterConfig& config) {
  auto certificates = CaCertificates(spec, cluster, configuration, grants);
  if (!certificates.ok()) return certificates.status();
  const std::string& host = spec.tls().hostname();
  config.security_identity = base::Concat(host, "\n", certificates->value_or("the system's authorities"));
  auto context = tls::ClientContext::Create({.ca_certificates_pem = *std::move(certificates)});
  if (!context.ok()) {
    const std::string_view reason = base::ToStd(context.status().message());
    return absl::FailedPreconditionError(base::Concat("spec.tls.caCertificateRefs: ", reason));
  }
  const bool http2 = config.protocol == ClusterConfig::Protocol::kHttp2;
  config.security = std::make_shared<const OriginTls>(*std::move(context), host, http2 ? "h2" : "http/1.1");
  return absl::OkStatus();
}

absl::Status ReadEndpoints(const ClusterSpec& spec, const check::ResourceKey& cluster,
                           const check::Configuration& configuration, resolve::Grants& grants, ClusterConfig& config) {
  if (spec.has_dns()) {
    config.named = NamedOrigin{spec.dns().hostname(), static_cast<uint16_t>(spec.dns().port())};
    return absl::OkStatus();
  }
  const auto* listed = &spec.endpoints();
  if (spec.has_endpoints_from()) {
    const auto& reference = spec.endpoints_from();
    const check::ResourceKey key{"Endpoints", check::ReferredNamespace(reference.namespace_(), cluster),
                                 reference.name()};
    if (!grants.Permit(cluster, key)) {
      return absl::FailedPreconditionError(base::Concat(
          "spec.endpointsFrom: ", key.ToString(), " is in another namespace and no ReferenceGrant there permits it"));
    }
    const portico::v1::Resource* resource = configuration.Find(key);
    if (resource == nullptr) return absl::OkStatus();
    listed = &resource->endpoints().spec().endpoints();
  }
  for (const auto& endpoint : *listed) {
    auto address = net::Address::Parse(endpoint.address(), static_cast<uint16_t>(endpoint.port()));
    if (!address.ok()) return address.status();
    config.endpoints.emplace_back(*address, endpoint.has_weight() ? endpoint.weight() : 1);
  }
  return absl::OkStatus();
}

void ReadLimits(const portico::v1::ClusterLimits& limits, ClusterConfig& config) {
  if (limits.has_connections()) config.connections_max = limits.connections();
  if (limits.has_pending()) config.pending_max = limits.pending();
  if (limits.has_requests()) config.requests_max = limits.requests();
}

outlier::EjectionRules EjectionOf(const portico::v1::Ejection& ejection) {
  outlier::EjectionRules rules;
  if (ejection.has_consecutive_failures()) rules.consecutive_failures = ejection.consecutive_failures();
  if (ejection.has_base_time()) rules.base_time = base::DecodeDuration(ejection.base_time());
  if (ejection.has_max_time()) rules.max_time = base::DecodeDuration(ejection.max_time());
  if (ejection.has_max_ejected_percent()) rules.max_ejected_percent = ejection.max_ejected_percent();
  return rules;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const ClusterConfig>> BuildClusterConfig(const check::ResourceKey& key,
                                                                        const check::Configuration& configuration,
                                                                        resolve::Grants& grants) {
  const portico::v1::Resource* resource = configuration.Find(key);
  PORTICO_CHECK(resource != nullptr && resource->has_cluster());
  const ClusterSpec& spec = resource->cluster().spec();
  auto config = std::make_shared<ClusterConfig>();
  config->name = base::Concat(key.name_space, "/", key.name);
  if (const absl::Status endpoints = ReadEndpoints(spec, key, configuration, grants, *config); !endpoints.ok()) {
    return endpoints;
  }
  if (spec.load_balancer().type() == portico::v1::LOAD_BALANCER_TYPE_LEAST_REQUEST) {
    config->balancer = balancer::Kind::kLeastRequest;
  }
  if (spec.protocol() == portico::v1::UPSTREAM_PROTOCOL_HTTP2) config->protocol = ClusterConfig::Protocol::kHttp2;
  if (spec.has_connect_timeout()) config->connect_timeout = base::DecodeDuration(spec.connect_timeout());
  if (spec.pool().has_max_idle_connections()) config->idle_connections_max = spec.pool().max_idle_connections();
  if (spec.pool().has_idle_timeout())
    config->connection_idle_timeout = base::DecodeDuration(spec.pool().idle_timeout());
  ReadLimits(spec.limits(), *config);
  if (spec.has_ejection()) config->ejection = EjectionOf(spec.ejection());
  const auto& retries = spec.retry_constraint();
  if (retries.has_percent()) config->retry_constraint.percent = retries.percent();
  if (retries.has_min_per_second()) config->retry_constraint.per_second_min = retries.min_per_second();
  if (spec.has_tls()) {
    const absl::Status security = BuildSecurity(spec, key, configuration, grants, *config);
    if (!security.ok()) return security;
  }
  return std::shared_ptr<const ClusterConfig>(std::move(config));
}

}  // namespace portico::upstream
