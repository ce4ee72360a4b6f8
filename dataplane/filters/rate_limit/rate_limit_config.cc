#include "dataplane/filters/rate_limit/rate_limit_config.h"

#include <algorithm>
#include <chrono>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "api/base/text.h"
#include "dataplane/base/duration_config.h"
#include "dataplane/base/time.h"
#include "dataplane/http/syntax.h"

namespace portico::rate_limit {
namespace {

using base::Concat;

// As api/check says.
constexpr uint32_t kRequestsMax = 1'000'000;
constexpr base::Duration kPeriodMin = std::chrono::seconds(1), kPeriodMax = std::chrono::hours(1);

template <typename... Pieces>
absl::Status Fault(const Pieces&... pieces) {
  return absl::InvalidArgumentError(base::ToAbsl(Concat(pieces...)));
}

absl::StatusOr<KeyPart> DecodeKeyPart(int part) {
  switch (part) {
    case v1::RATE_LIMIT_KEY_CLIENT_ADDRESS:
      return KeyPart::kClientAddress;
    case v1::RATE_LIMIT_KEY_CONSUMER:
      return KeyPart::kConsumer;
    case v1::RATE_LIMIT_KEY_HEADER:
      return KeyPart::kHeader;
    default:
      return Fault("an unknown key");
  }
}

absl::Status DecodeKey(const v1::RateLimit& message, Limit& out) {
  for (const int part : message.key()) {
    const absl::StatusOr<KeyPart> decoded = DecodeKeyPart(part);
    if (!decoded.ok()) return decoded.status();
    if (std::find(out.key.begin(), out.key.end(), *decoded) != out.key.end()) return Fault("a key twice");
    out.key.push_back(*decoded);
  }
  out.header = base::LowerAscii(message.header());
  const bool by_header = std::find(out.key.begin(), out.key.end(), KeyPart::kHeader) != out.key.end();
  if (by_header != http::IsLowercaseToken(out.header)) return Fault("header and key don't agree");
  switch (message.key_missing()) {
    case v1::KEY_MISSING_UNSPECIFIED:
    case v1::KEY_MISSING_SHARE:
      return absl::OkStatus();
    case v1::KEY_MISSING_SKIP:
      out.skips_missing = true;
      return absl::OkStatus();
    default:
      return Fault("an unknown keyMissing");
  }
}

absl::Status DecodeRate(const v1::RateLimit& message, Limit& out) {
  const uint32_t requests = message.limit().requests();
  const uint32_t burst = message.has_burst() ? message.burst() : requests;
  const base::Duration per = base::DecodeDuration(message.limit().per());
  if (requests < 1 || requests > kRequestsMax || burst < 1 || burst > kRequestsMax || per < kPeriodMin ||
      per > kPeriodMax) {
    return Fault("a rate that is out of bounds");
  }
  out.rate = shared::RateOf(requests, std::chrono::nanoseconds(per).count(), burst);
  out.item = Concat("\"", message.name(), "\"");
  out.policy_item = Concat(out.item, ";q=", requests, ";w=", std::chrono::ceil<std::chrono::seconds>(per).count());
  return absl::OkStatus();
}

// What makes two keys of the same limit comparable.
std::string ShapeOf(const Limit& limit) {
  std::string shape;
  for (const KeyPart part : limit.key)
    shape += static_cast<char>('0' + static_cast<int>(part));
  return Concat(shape, limit.header);
}

absl::StatusOr<Limit> DecodeLimit(const resolve::BoundPolicy& policy, const v1::RateLimit& message,
                                  RateLimitState& state) {
  if (message.scope() != v1::RATE_LIMIT_SCOPE_UNSPECIFIED && message.scope() != v1::RATE_LIMIT_SCOPE_PROXY) {
    return Fault("a scope that is not supported");
  }
  Limit out;
  out.name = Concat(policy.key.name_space, "/", policy.key.name, "/", message.name());
  out.report_only = policy.resource->rate_limit_policy().spec().report_only();
  if (const absl::Status status = DecodeKey(message, out); !status.ok()) return status;
  if (const absl::Status status = DecodeRate(message, out); !status.ok()) return status;
  out.buckets = state.tables.Of(out.name, ShapeOf(out));
  return out;
}

bool NeedsIdentity(const Limit& limit) {
  return std::find(limit.key.begin(), limit.key.end(), KeyPart::kConsumer) != limit.key.end();
}

// The first that is wrong with a policy: "", and its limits are added to the two.
std::string AddPolicy(const resolve::BoundPolicy& policy, RateLimitState& state, std::vector<Limit>& before_identity,
                      std::vector<Limit>& by_identity) {
  if (policy.resource == nullptr || !policy.resource->has_rate_limit_policy()) return "is no RateLimitPolicy";
  const auto& limits = policy.resource->rate_limit_policy().spec().limits();
  if (limits.empty()) return "has no limits";
  for (const v1::RateLimit& message : limits) {
    absl::StatusOr<Limit> limit = DecodeLimit(policy, message, state);
    if (!limit.ok()) return Concat("limit ", message.name(), ": ", base::ToStd(limit.status().message()));
    std::vector<Limit>& place = NeedsIdentity(*limit) ? by_identity : before_identity;
    place.push_back(*std::move(limit));
  }
  return "";
}

}  // namespace

BuiltLimits BuildRateLimits(const std::vector<resolve::BoundPolicy>& policies,
                            const std::shared_ptr<RateLimitState>& state) {
  auto before_identity = std::make_shared<RateLimitConfig>(), by_identity = std::make_shared<RateLimitConfig>();
  BuiltLimits out;
  for (const resolve::BoundPolicy& policy : policies) {
    const std::string fault = AddPolicy(policy, *state, before_identity->limits, by_identity->limits);
    if (fault.empty()) continue;
    out.faults.push_back({policy.key, "spec", fault});
    if (before_identity->fault.empty()) before_identity->fault = Concat(policy.key.ToString(), ": ", fault);
  }
  for (const auto& config : {before_identity, by_identity})
    config->state = state;
  if (!before_identity->limits.empty() || !before_identity->fault.empty()) {
    out.before_identity = std::move(before_identity);
  }
  if (!by_identity->limits.empty()) out.by_identity = std::move(by_identity);
  return out;
}

}  // namespace portico::rate_limit
