#include "dataplane/cache/stored_response.h"

#include <chrono>
#include <utility>

#include "api/base/text.h"
#include "dataplane/http/date.h"

namespace portico::cache {
namespace {

using http::FieldId;

// What the heap, the counts of owners and a place in a list of variants add.
constexpr size_t kOverheadBytes = 192;

// RFC 9111 section 3.1: what is about one connection or one proxy, and what is computed for each answer.
bool IsStored(const http::Field& field) {
  switch (field.id) {
    case FieldId::kAge:
    case FieldId::kContentLength:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
      return false;
    default:
      return field.name != "proxy-authentication-info";
  }
}

// Section 3.2: what was computed of the stored bytes stays as it came with them.
bool IsUpdated(const http::Field& field) {
  return IsStored(field) && field.id != FieldId::kContentEncoding && field.id != FieldId::kEtag &&
         field.name != "content-range" && field.name != "content-md5" && field.name != "content-digest";
}

// RFC 9110 section 15.4.5.
bool IsSentWith304(const http::Field& field, bool has_etag) {
  switch (field.id) {
    case FieldId::kContentType:
    case FieldId::kContentEncoding:
      return false;
    case FieldId::kLastModified:
      return !has_etag;
    default:
      return !field.name.starts_with("content-") || field.name == "content-location";
  }
}

}  // namespace

size_t StoredResponse::bytes() const {
  size_t all = sizeof *this + kOverheadBytes + arena.bytes();
  for (const SelectingField& field : selecting)
    all += sizeof field + field.name.capacity() + (field.value ? field.value->capacity() : 0);
  return all;
}

void ReadHead(const http::ResponseHead& response, const http::Fields& request, const ExchangeTimes& times,
              StoredResponse& stored) {
  stored.status = response.status;
  for (const http::Field& field : response.fields)
    if (IsStored(field)) stored.fields.Add(field.name, field.value);
  if (!stored.fields.Has(FieldId::kDate)) {
    stored.fields.Add(FieldId::kDate, http::FormatDate(times.answered_wall, stored.arena));
  }
  stored.control = ReadCacheControl(response.fields);
  stored.explicit_lifetime = ExplicitLifetime(response.fields, stored.control, times.answered_wall);
  stored.initial_age = InitialAge(response.fields, times);
  stored.answered = times.answered;
  stored.date = DateOf(response.fields, times.answered_wall);
  stored.selecting = SelectingFieldsOf(response.fields, request).value_or(SelectingFields());
}

std::optional<http::ResponseHead> FreshenedHead(const StoredResponse& stored, const http::ResponseHead& not_modified,
                                                base::Arena& arena) {
  const std::optional<std::string_view> tag = not_modified.fields.Find(FieldId::kEtag);
  const std::optional<std::string_view> ours = stored.fields.Find(FieldId::kEtag);
  if (tag && tag != ours) return std::nullopt;
  const std::optional<std::string_view> modified = not_modified.fields.Find(FieldId::kLastModified);
  if (!tag && modified && modified != stored.fields.Find(FieldId::kLastModified)) return std::nullopt;
  http::ResponseHead head(arena);
  head.status = stored.status;
  for (const http::Field& field : stored.fields) {
    // Without a date of its own the 304 is of now.
    const bool is_newer =
        field.id == FieldId::kDate || (IsUpdated(field) && not_modified.fields.Find(field.name).has_value());
    if (!is_newer) head.fields.Add(field.name, field.value);
  }
  // Its age is the 304's, not the stored one's.
  for (const http::Field& field : not_modified.fields)
    if (IsUpdated(field) || field.id == FieldId::kAge) head.fields.Add(field.name, field.value);
  return head;
}

ServedHead ServeHead(const StoredResponse& stored, const PartialAnswer& part, std::optional<base::Duration> age,
                     base::Arena& arena) {
  using Kind = PartialAnswer::Kind;
  ServedHead served{http::ResponseHead(arena), 0, stored.length};
  http::ResponseHead& head = served.head;
  head.status = stored.status;
  const bool has_etag = stored.fields.Has(FieldId::kEtag);
  for (const http::Field& field : stored.fields) {
    if (part.kind == Kind::kNotModified && !IsSentWith304(field, has_etag)) continue;
    if (part.kind == Kind::kNotSatisfiable && !IsSentWith304(field, false)) continue;
    head.fields.Add(field.name, field.value);
  }
  if (age) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*age);
    head.fields.Add(FieldId::kAge, base::Concat(std::min(seconds, kDeltaMax).count()));
  }
  const uint64_t length = stored.length.value_or(0);
  switch (part.kind) {
    case Kind::kWhole:
      break;
    case Kind::kNotModified:
      head.status = 304;
      served.end = 0;
      break;
    case Kind::kPart:
      head.status = 206;
      head.fields.Add("content-range",
                      base::Concat("bytes ", part.offset, "-", part.offset + part.length - 1, "/", length));
      served.offset = part.offset;
      served.end = part.offset + part.length;
      break;
    case Kind::kNotSatisfiable:
      head.status = 416;
      head.fields.Add("content-range", base::Concat("bytes */", length));
      served.end = 0;
      break;
  }
  head.framing.length = served.end ? std::optional(*served.end - served.offset) : std::nullopt;
  head.framing.ends_with_head = head.framing.length == uint64_t{0};
  if (head.framing.length && !http::NeverHasContent(head.status)) {
    head.fields.Set(FieldId::kContentLength, base::Concat(*head.framing.length));
  }
  return served;
}

}  // namespace portico::cache
