#include "dataplane/cache/freshness.h"

#include <algorithm>
#include <chrono>
#include <string_view>

#include "dataplane/http/date.h"
#include "dataplane/http/syntax.h"

namespace portico::cache {
namespace {

using std::chrono::seconds;

// Zero if there is no such field. Section 5.1 lets the first of several count; two that say different things may come
// of two caches that know nothing of each other, so here none does.
base::Duration AgeValue(const http::Fields& fields) {
  const std::optional<std::string_view> field = fields.Find(http::FieldId::kAge);
  if (!field) return base::Duration(0);
  if (fields.Count(http::FieldId::kAge) > 1) return kDeltaMax;
  return ParseDelta(http::TrimOws(*field)).value_or(kDeltaMax);
}

}  // namespace

base::WallTime DateOf(const http::Fields& fields, base::WallTime answered) {
  const std::optional<std::string_view> field = fields.Find(http::FieldId::kDate);
  if (!field) return answered;
  return http::ParseDate(*field, answered).value_or(answered);
}

std::optional<base::Duration> ExplicitLifetime(const http::Fields& fields, const CacheControl& control,
                                               base::WallTime answered) {
  if (control.malformed) return base::Duration(0);
  if (control.s_maxage) return *control.s_maxage;
  if (control.max_age) return *control.max_age;
  const std::optional<std::string_view> field = fields.Find(http::FieldId::kExpires);
  if (!field) return std::nullopt;
  if (fields.Count(http::FieldId::kExpires) > 1) return base::Duration(0);
  const std::optional<base::WallTime> expires = http::ParseDate(*field, answered);
  if (!expires) return base::Duration(0);  // section 5.3: "0" means the past
  return std::clamp<base::Duration>(*expires - DateOf(fields, answered), seconds(0), kDeltaMax);
}

base::Duration InitialAge(const http::Fields& fields, const ExchangeTimes& times) {
  if (fields.Count(http::FieldId::kDate) > 1) return kDeltaMax;
  const base::Duration apparent_age =
      std::max<base::Duration>(seconds(0), times.answered_wall - DateOf(fields, times.answered_wall));
  const base::Duration corrected_age_value = AgeValue(fields) + (times.answered - times.asked);
  return std::max(apparent_age, corrected_age_value);
}

}  // namespace portico::cache
