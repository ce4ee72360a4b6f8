#include "dataplane/cache/storable.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "dataplane/cache/conditional.h"
#include "dataplane/cache/variants.h"

namespace portico::cache {
namespace {

using http::FieldId;

// RFC 9110 section 15.1 (heuristically cacheable), less 206, of which a part is not a whole.
constexpr std::array kCacheableByDefault = {200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501};
// What we know all about that concerns a cache, beside those.
constexpr std::array kUnderstood = {201, 202, 302, 303, 307, 403, 500, 502, 503, 504};
// What is said of one request, or of who sent it, and not of the resource: the next one's fields may be well.
constexpr std::array kAboutTheRequest = {400, 401, 406, 407, 408, 411, 412, 413, 415, 416,
                                         417, 421, 422, 425, 426, 428, 429, 431, 505, 511};
// To a request with a condition these are as to one without (RFC 9110 section 13.2.1).
constexpr std::array kUnconditional = {200, 301, 308, 404, 410};

template <typename List>
bool IsIn(const List& list, int status) {
  return std::find(list.begin(), list.end(), status) != list.end();
}

bool IsCacheableByDefault(int status) {
  return IsIn(kCacheableByDefault, status);
}

bool IsUnderstood(int status) {
  return IsCacheableByDefault(status) || IsIn(kUnderstood, status);
}

// Whether it is the answer that the same request without conditions and ranges would have had.
bool IsOfThePlainRequest(const http::Fields& request, int status) {
  if (request.Has(FieldId::kRange)) return status == 200;
  return !AsksForLess(request) || IsIn(kUnconditional, status);
}

// What the request forbids, and what its response can't be a response for another request of.
std::string_view WhyNotAboutTheResource(const StoreQuestion& question) {
  const http::ResponseHead& response = question.response;
  if (question.request.method != "GET") return "method";
  if (question.request_control.no_store || question.request_control.malformed) return "request's cache-control";
  if (response.status < 200 || response.status == 206 || response.status == 304) return "status";
  if (IsIn(kAboutTheRequest, response.status)) return "status";
  if (!IsOfThePlainRequest(question.request.fields, response.status)) return "conditional";
  return response.fields.Find("content-range") ? "part of a whole" : "";
}

std::string_view WhyNotThis(const StoreQuestion& question) {
  const http::ResponseHead& response = question.response;
  if (const std::string_view why = WhyNotAboutTheResource(question); !why.empty()) return why;
  if (response.framing.ends_with_connection) return "content without an end";
  if (response.framing.length.value_or(0) > question.policy.content_bytes_max) return "too long";
  return "";
}

std::string_view WhyForbidden(const StoreQuestion& question) {
  const CacheControl& control = question.response_control;
  const http::Fields& fields = question.response.fields;
  if (control.malformed) return "malformed cache-control";
  if (control.no_store) return "no-store";
  if (control.is_private) return "private";
  if (!control.present && fields.Has(FieldId::kPragma)) return "pragma";
  if (fields.Has(FieldId::kSetCookie)) return "set-cookie";
  if (control.must_understand && !IsUnderstood(question.response.status)) return "must-understand";
  if (question.authorized && !AllowsAuthorization(control)) return "authorization";
  if (!SelectingFieldsOf(fields, question.request.fields)) return "vary";
  return "";
}

}  // namespace

bool IsAboutTheResource(const StoreQuestion& question) {
  return WhyNotAboutTheResource(question).empty();
}

bool AllowsAuthorization(const CacheControl& response) {
  return response.is_public || response.must_revalidate || response.s_maxage.has_value();
}

bool HasValidator(const http::Fields& response) {
  return response.Count(FieldId::kEtag) == 1 || response.Count(FieldId::kLastModified) == 1;
}

bool MayBePersonal(const http::Fields& request, const SelectingFields& selecting) {
  const auto is_cookie = [](const SelectingField& field) { return field.name == "cookie"; };
  return request.Has(FieldId::kCookie) && std::none_of(selecting.begin(), selecting.end(), is_cookie);
}

base::Duration LifetimeOf(int status, std::optional<base::Duration> explicit_lifetime, const CachePolicy& policy,
                          bool personal) {
  if (explicit_lifetime) return std::min(*explicit_lifetime, kLifetimeMax);
  const bool is_success = status < 400 && IsCacheableByDefault(status);
  return is_success && !personal ? policy.default_ttl.value_or(base::Duration(0)) : base::Duration(0);
}

std::string_view WhyNotStored(const StoreQuestion& question) {
  if (const std::string_view why = WhyNotThis(question); !why.empty()) return why;
  if (const std::string_view why = WhyForbidden(question); !why.empty()) return why;
  const http::Fields& fields = question.response.fields;
  const http::Fields& request = question.request.fields;
  const auto said = ExplicitLifetime(fields, question.response_control, question.times.answered_wall);
  const int status = question.response.status;
  const SelectingFields selecting = SelectingFieldsOf(fields, request).value_or(SelectingFields());
  const base::Duration lifetime = LifetimeOf(status, said, question.policy, MayBePersonal(request, selecting));
  const bool no_cache = question.response_control.no_cache;
  if (!said && lifetime == base::Duration(0) && !(no_cache && IsCacheableByDefault(status))) return "no freshness";
  const bool is_fresh = !no_cache && lifetime > InitialAge(fields, question.times);
  return is_fresh || HasValidator(fields) ? "" : "stale at once";
}

}  // namespace portico::cache
