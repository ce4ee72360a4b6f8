#include "dataplane/cache/cache_config.h"

#include <algorithm>
#include <set>
#include <string>
#include <string_view>

#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/crypto/digest.h"
#include "dataplane/route/path.h"
#include "google/protobuf/io/coded_stream.h"
#include "google/protobuf/io/zero_copy_stream_impl_lite.h"

namespace portico::cache {
namespace {

using check::ResourceKey;

constexpr std::string_view kPurge = "CachePurge", kPolicy = "CachePolicy";

// The same bytes for the same message; each piece says how long it is, so that no two make a third.
void Append(std::string& out, std::string_view piece) {
  base::AppendTo(out, base::Concat(piece.size(), ":"));
  base::AppendTo(out, piece);
}
std::string BytesOf(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializeToCodedStream(&coded);
  coded.Trim();
  return bytes;
}
void Append(std::string& out, const google::protobuf::Message& message) {
  Append(out, BytesOf(message));
}

// By what else than the URI requests come to this rule and not to another: their methods, fields and parameters.
std::set<std::string> ConditionsOf(const v1::RouteRule& rule) {
  std::set<std::string> conditions;
  for (v1::RouteMatch match : rule.matches()) {
    match.clear_path();
    conditions.insert(BytesOf(match));
  }
  if (conditions.empty()) conditions.insert("");
  return conditions;
}

const v1::AuthPolicySpec& SpecOf(const std::optional<resolve::BoundPolicy>& policy) {
  return policy ? policy->resource->auth_policy().spec() : v1::AuthPolicySpec::default_instance();
}

// What makes the rule's answers what they are, and what tells the rule from others that have the same URI: the path is
// in that. A change of any of it is a change of this: in doubt a miss. What limits the rule is none of it.
std::string DigestOf(const resolve::ResolvedRule& rule) {
  std::string all;
  Append(all, rule.route.ToString());
  const std::set<std::string> conditions = ConditionsOf(rule.message());
  Append(all, base::Concat(conditions.size()));
  for (const std::string& condition : conditions)
    Append(all, condition);
  for (const v1::RouteFilter& filter : rule.message().filters())
    Append(all, filter);
  for (const v1::BackendRef& backend : rule.message().backend_refs())
    Append(all, backend);
  const v1::AuthPolicySpec& authentication = SpecOf(rule.policies.auth.authentication);
  Append(all, authentication.authentication());
  for (const v1::IdentityHeader& header : authentication.identity_to_headers())
    Append(all, header);
  Append(all, SpecOf(rule.policies.auth.authorization).authorization());
  const crypto::Sha256Digest digest = crypto::Sha256(all);
  return std::string(digest.begin(), digest.end());
}

bool AsksWhoCalls(const v1::AuthPolicySpec& spec) {
  const auto& methods = spec.authentication().any_of();
  return std::any_of(methods.begin(), methods.end(), [](const auto& method) { return !method.has_anonymous(); });
}

}  // namespace

std::shared_ptr<const CachePolicy> BuildCachePolicy(const resolve::ResolvedRule& rule, bool gateway_stores) {
  if (!gateway_stores) return nullptr;
  auto out = std::make_shared<CachePolicy>();
  const std::optional<resolve::BoundPolicy>& policy = rule.policies.cache;
  const v1::AuthPolicySpec& authentication = SpecOf(rule.policies.auth.authentication);
  if (!policy || !authentication.identity_to_headers().empty()) return out;
  const v1::CachePolicySpec& spec = policy->resource->cache_policy().spec();
  if (spec.disabled()) return out;
  out->stores = true;
  out->rule = DigestOf(rule);
  if (spec.has_default_ttl()) out->default_ttl = base::DecodeDuration(spec.default_ttl());
  if (spec.has_content_bytes_max()) out->content_bytes_max = spec.content_bytes_max();
  out->authenticates = AsksWhoCalls(authentication);
  return out;
}

bool GatewayStores(const resolve::ResolvedGateway& gateway) {
  const auto first = gateway.reach.lower_bound(ResourceKey{std::string(kPolicy), "", ""});
  return first != gateway.reach.end() && first->first.kind == kPolicy;
}

std::vector<Purge> BuildPurges(const resolve::ResolvedGateway& gateway) {
  const PurgeScope everything{"", "/"};
  std::vector<Purge> purges = {{"", GatewayStores(gateway) ? "stores" : "stores nothing", everything}};
  auto at = gateway.reach.lower_bound(ResourceKey{std::string(kPurge), "", ""});
  for (; at != gateway.reach.end() && at->first.kind == kPurge; ++at) {
    const ResourceKey& key = at->first;
    const v1::Resource* resource = gateway.configuration.Find(key);
    if (resource == nullptr) continue;
    const v1::CachePurgeSpec& spec = resource->cache_purge().spec();
    const std::string prefix = spec.path_prefix().empty() ? "/" : spec.path_prefix();
    const route::NormalisedPath normal = route::NormalisePath(prefix);
    const bool is_ipv6 = spec.host().find(':') != std::string::npos;
    purges.push_back(
        {base::Concat(key.name_space, "/", key.name),
         base::Concat(spec.at().seconds(), ".", spec.at().nanos()),
         {is_ipv6 ? base::Concat("[", spec.host(), "]") : spec.host(), normal.status.ok() ? normal.path : prefix}});
  }
  return purges;
}

}  // namespace portico::cache
