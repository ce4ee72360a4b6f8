#include "api/check/resource/rate_limit_policy.h"

#include <algorithm>
#include <set>
#include <string>

#include "api/base/text.h"
#include "api/check/resource/names.h"

namespace portico::check {
namespace {

using base::Concat;

void Key(const portico::v1::RateLimit& limit, const std::string& path, Report& report) {
  std::set<int> parts;
  for (int i = 0; i < limit.key_size(); ++i) {
    if (!parts.insert(limit.key(i)).second) report.Add(Concat(path, ".key[", i, "]"), "is there already");
  }
  if (parts.contains(portico::v1::RATE_LIMIT_KEY_HEADER) == limit.header().empty()) {
    report.Add(path + ".header", "is for the key Header, and needed there");
  } else if (IsReservedField(limit.header())) {
    report.Add(path + ".header", "is a field of the connection or of framing, whose value no rule sees");
  }
}

void Period(const google::protobuf::Duration& per, const std::string& path, Report& report) {
  constexpr int64_t kHour = 3'600;
  if (per.seconds() > kHour || (per.seconds() == kHour && per.nanos() > 0)) {
    report.Add(path, "must be 1s to 1h: what counts longer must outlive a proxy, which its memory does not");
  } else if (per.seconds() < 1) {
    report.Add(path, "must be 1s to 1h");
  } else if (per.nanos() != 0) {
    report.Add(path, "must be whole seconds, as the ratelimit fields tell it");
  }
}

}  // namespace

void CheckRateLimitPolicy(const portico::v1::RateLimitPolicySpec& spec, Report& report) {
  std::set<std::string> names;
  for (int i = 0; i < spec.limits_size(); ++i) {
    const portico::v1::RateLimit& limit = spec.limits(i);
    const std::string path = Concat("spec.limits[", i, "]");
    if (!limit.name().empty() && !names.insert(limit.name()).second) {
      report.Add(path + ".name", "is the name of another limit");
    }
    Key(limit, path, report);
    if (limit.limit().has_per()) Period(limit.limit().per(), path + ".limit.per", report);
  }
}

}  // namespace portico::check
