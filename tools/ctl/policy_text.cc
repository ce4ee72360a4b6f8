#include "tools/ctl/policy_text.h"

#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "api/yaml/scalar.h"

namespace portico::ctl {
namespace {

using base::Concat;

// "ClientAddress and header x-tenant"; "" if requests are not told apart.
std::string KeyText(const portico::v1::RateLimit& limit) {
  std::vector<std::string> parts;
  for (int i = 0; i < limit.key_size(); ++i) {
    const auto* value = portico::v1::RateLimitKey_descriptor()->FindValueByNumber(limit.key(i));
    if (limit.key(i) == portico::v1::RATE_LIMIT_KEY_HEADER) {
      parts.push_back(Concat("header ", limit.header()));
    } else {
      parts.push_back(value == nullptr ? Concat(static_cast<int>(limit.key(i))) : yaml::EnumName(*value));
    }
  }
  return base::Join(parts, " and ");
}

std::string LimitText(const portico::v1::RateLimit& limit, bool report_only) {
  const absl::StatusOr<std::string> per = yaml::FormatDuration(limit.limit().per());
  const std::string key = KeyText(limit);
  return Concat(limit.name(), ", ", limit.limit().requests(), " in ", per.ok() ? *per : "?",
                limit.has_burst() ? Concat(", ", limit.burst(), " at once") : "", key.empty() ? "" : " by ", key,
                report_only ? ", report only" : "");
}

}  // namespace

std::string PolicyText(const std::optional<resolve::BoundPolicy>& policy) {
  return policy ? Concat(policy->key.ToString(), ", from ", policy->target) : "none";
}

std::vector<std::pair<std::string, std::string>> PolicyLines(const resolve::EffectivePolicies& policies) {
  std::vector<std::pair<std::string, std::string>> lines = {
      {"authentication", PolicyText(policies.auth.authentication)},
      {"authorization", PolicyText(policies.auth.authorization)}};
  for (const resolve::BoundPolicy& policy : policies.limits) {
    const portico::v1::RateLimitPolicySpec& spec = policy.resource->rate_limit_policy().spec();
    for (const portico::v1::RateLimit& limit : spec.limits())
      lines.emplace_back("limit", Concat(LimitText(limit, spec.report_only()), " (", PolicyText(policy), ")"));
  }
  if (policies.cache) lines.emplace_back("cache", PolicyText(policies.cache));
  return lines;
}

std::vector<std::string> PartsOf(const resolve::EffectivePolicies& policies, const check::ResourceKey& policy) {
  const auto is = [&policy](const std::optional<resolve::BoundPolicy>& one) { return one && one->key == policy; };
  std::vector<std::string> parts;
  if (is(policies.auth.authentication)) parts.push_back("authentication");
  if (is(policies.auth.authorization)) parts.push_back("authorization");
  for (const resolve::BoundPolicy& limits : policies.limits)
    if (is(limits)) parts.push_back("limits");
  if (is(policies.cache)) parts.push_back("cache");
  return parts;
}

}  // namespace portico::ctl
