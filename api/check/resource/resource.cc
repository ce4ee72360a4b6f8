#include "api/check/resource/resource.h"

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "api/base/text.h"
#include "api/check/resource/access.h"
#include "api/check/resource/auth_policy.h"
#include "api/check/resource/bounds.h"
#include "api/check/resource/composition.h"
#include "api/check/resource/gateway.h"
#include "api/check/resource/names.h"
#include "api/check/resource/path_match.h"
#include "api/check/resource/rate_limit_policy.h"
#include "api/check/resource/report.h"
#include "api/check/resource/route.h"
#include "api/check/resource/secret.h"
#include "api/check/resource/supported.h"
#include "google/protobuf/descriptor.h"
#include "google/protobuf/message.h"

namespace portico::check {
namespace {

using portico::v1::Resource;

template <typename Endpoints>
void CheckEndpoints(const Endpoints& endpoints, Report& report) {
  std::map<std::pair<std::string, uint32_t>, int> places;
  for (int i = 0; i < endpoints.size(); ++i) {
    const auto& endpoint = endpoints[i];
    const auto [first, added] = places.try_emplace({AddressIdentity(endpoint.address()), endpoint.port()}, i);
    if (added) continue;
    report.Add(base::Concat("spec.endpoints[", i, "]"),
               base::Concat("has the address and port of endpoints[", first->second, "]"));
  }
}

// 10.0.0.1 is a DNS name by its letters, and 10.1 an address to some; no top-level domain is a number (RFC 1123 section
// 2.1).
bool EndsInDigits(std::string_view name) {
  const std::string_view last = name.substr(name.rfind('.') + 1);
  return !last.empty() && last.find_first_not_of("0123456789") == std::string_view::npos;
}

void CheckCluster(const portico::v1::ClusterSpec& spec, Report& report) {
  if ((spec.endpoints_size() > 0) + spec.has_dns() + spec.has_endpoints_from() != 1) {
    report.Add("spec", "must hold exactly one of endpoints, dns and endpointsFrom");
  }
  if (EndsInDigits(spec.dns().hostname())) {
    report.Add("spec.dns.hostname", "must be a name: an address stands in endpoints");
  }
  CheckEndpoints(spec.endpoints(), report);
}

void CheckConsumer(const portico::v1::ConsumerSpec& spec, Report& report) {
  std::set<std::string> digests;
  for (int i = 0; i < spec.credentials_size(); ++i) {
    const auto& credential = spec.credentials(i);
    const std::string path = base::Concat("spec.credentials[", i, "]");
    if (credential.has_jwt() + credential.has_api_key() != 1) {
      report.Add(path, "must hold exactly one of jwt and apiKey");
    } else if (credential.has_api_key() && !digests.insert(credential.api_key().sha256()).second) {
      report.Add(path + ".apiKey.sha256", "is that of another entry");
    }
  }
}

void CheckCachePurge(const portico::v1::CachePurgeSpec& spec, Report& report) {
  const auto& target = spec.target_ref();
  if (!target.kind().empty() && target.kind() != "Gateway") report.Add("spec.targetRef.kind", "must be Gateway");
  if (!target.section_name().empty()) {
    report.Add("spec.targetRef.sectionName", "must be left out: a purge is of the whole Gateway");
  }
  if (!spec.path_prefix().empty()) CheckPath(spec.path_prefix(), "spec.pathPrefix", report);
}

// Metadata and spec, also if they are left out: what is required in them is missing then. A Composition's spec is
// judged by its own file alone.
void CheckFields(const Resource& resource, Report& report) {
  report.Append(CheckBounds(MetadataOf(resource), "metadata", report.key()));
  if (resource.has_composition()) return;
  const auto& reflection = *resource.GetReflection();
  const auto* kind = reflection.GetOneofFieldDescriptor(resource, resource.GetDescriptor()->oneof_decl(0));
  const google::protobuf::Message& message = reflection.GetMessage(resource, kind);
  const auto* spec = message.GetDescriptor()->FindFieldByName("spec");
  report.Append(CheckBounds(message.GetReflection()->GetMessage(message, spec), "spec", report.key()));
}

}  // namespace

Violations CheckResource(const Resource& resource, const CheckEnvironment& environment) {
  const ResourceKey key = KeyOf(resource);
  Report report(key);
  report.Append(CheckSupported(resource, environment.system_fields));
  if (resource.kind_case() == Resource::KIND_NOT_SET) return report.Take();
  CheckFields(resource, report);
  if (resource.has_gateway()) CheckGateway(resource.gateway().spec(), report);
  if (resource.has_route()) CheckRoute(resource.route().spec(), report);
  if (resource.has_composition()) report.Append(CheckComposition(key, resource.composition().spec()));
  if (resource.has_cluster()) CheckCluster(resource.cluster().spec(), report);
  if (resource.has_endpoints()) CheckEndpoints(resource.endpoints().spec().endpoints(), report);
  if (resource.has_auth_policy()) CheckAuthPolicy(resource.auth_policy().spec(), report);
  if (resource.has_rate_limit_policy()) CheckRateLimitPolicy(resource.rate_limit_policy().spec(), report);
  if (resource.has_cache_purge()) CheckCachePurge(resource.cache_purge().spec(), report);
  if (resource.has_consumer()) CheckConsumer(resource.consumer().spec(), report);
  if (resource.has_role()) CheckRole(resource.role().spec(), report);
  if (resource.has_secret()) CheckSecret(resource.secret().spec(), environment.key_pairs, report);
  return report.Take();
}

}  // namespace portico::check
