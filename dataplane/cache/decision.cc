#include "dataplane/cache/decision.h"

#include <optional>

#include "api/base/text.h"
#include "dataplane/cache/storable.h"
#include "dataplane/http/syntax.h"

namespace portico::cache {
namespace {

constexpr std::string_view kStale = "stale", kRequest = "request", kMiss = "uri-miss";

// Its time is not up, but the request wants a younger one.
bool RequestRefuses(const CacheControl& request, base::Duration age, base::Duration lifetime) {
  return WantsANewOne(request) || request.no_store || request.malformed ||
         (request.max_age && age > *request.max_age) || (request.min_fresh && lifetime - age < *request.min_fresh);
}

}  // namespace

bool IsFor(const StoredResponse& stored, const CacheRequest& request) {
  return stored.identity == request.identity && Selects(stored.selecting, request.head->fields);
}

bool WantsANewOne(const CacheControl& request) {
  return request.no_cache || request.max_age == std::chrono::seconds(0);
}

Decision Decide(const StoredResponse& stored, const CacheRequest& request, const CachePolicy& policy,
                base::MonotonicTime now) {
  using Kind = Decision::Kind;
  const CacheControl& control = request.control;
  if (!IsFor(stored, request)) return {Kind::kForward, kMiss};
  if (stored.length.value_or(0) > policy.content_bytes_max) return {Kind::kForward, kMiss};
  if (request.authorized && !AllowsAuthorization(stored.control)) return {Kind::kForward, kMiss};
  const base::Duration age = stored.AgeAt(now);
  const bool personal = MayBePersonal(request.head->fields, stored.selecting);
  const base::Duration lifetime = LifetimeOf(stored.status, stored.explicit_lifetime, policy, personal);
  const bool is_fresh = !stored.control.no_cache && lifetime > age;
  const bool is_refused = RequestRefuses(control, age, lifetime);
  if (is_fresh && !is_refused) return {Kind::kGive, ""};
  const bool may_ask = HasValidator(stored.fields) && !control.no_store && !control.malformed;
  return {may_ask ? Kind::kRevalidate : Kind::kForward, is_fresh ? kRequest : kStale};
}

CacheControl ReadRequestControl(const http::Fields& request) {
  CacheControl control = ReadCacheControl(request);
  if (control.present) return control;
  for (const http::Field& field : request) {
    if (field.id != http::FieldId::kPragma) continue;
    std::string_view rest = field.value;
    while (const std::optional<std::string_view> member = http::NextListMember(rest))
      if (base::EqualsIgnoreCase(*member, "no-cache")) control.no_cache = true;
  }
  return control;
}

}  // namespace portico::cache
