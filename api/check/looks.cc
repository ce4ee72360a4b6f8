#include "api/check/looks.h"

#include <cstdint>
#include <optional>
#include <set>
#include <tuple>

namespace portico::check {
namespace {

using portico::v1::Resource;

// nullopt: of endpoints that are listed elsewhere, any.
std::optional<std::set<uint32_t>> PortsOf(const Resource& cluster) {
  if (cluster.cluster().spec().has_endpoints_from()) return std::nullopt;
  std::set<uint32_t> ports;
  if (cluster.cluster().spec().has_dns()) ports.insert(cluster.cluster().spec().dns().port());
  for (const auto& endpoint : cluster.cluster().spec().endpoints())
    ports.insert(endpoint.port());
  return ports;
}

std::tuple<bool, bool, bool> HeldBy(const Resource& secret) {
  const auto& spec = secret.secret().spec();
  return {spec.has_tls(), spec.has_jwks(), spec.has_ca_certificates()};
}

}  // namespace

bool LooksTheSame(const Resource* before, const Resource* after) {
  if (before == nullptr || after == nullptr) return before == after;
  if (before->kind_case() != after->kind_case()) return false;
  if (before->has_cluster()) return PortsOf(*before) == PortsOf(*after);
  if (before->has_secret()) return HeldBy(*before) == HeldBy(*after);
  return before->has_composition() || before->has_consumer() || before->has_endpoints();
}

}  // namespace portico::check
