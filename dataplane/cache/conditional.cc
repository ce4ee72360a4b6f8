#include "dataplane/cache/conditional.h"

#include <algorithm>

#include "api/base/text.h"
#include "dataplane/http/date.h"
#include "dataplane/http/syntax.h"

namespace portico::cache {
namespace {

using http::FieldId;

constexpr std::string_view kWeak = "W/";
constexpr std::string_view kIfRange = "if-range";

// entity-tag of RFC 9110 section 8.8.3 at the beginning of `text`: how long it is, 0 if there is none.
size_t EntityTagBytes(std::string_view text) {
  const size_t open = text.starts_with(kWeak) ? kWeak.size() : 0;
  if (text.size() <= open || text[open] != '"') return 0;
  for (size_t i = open + 1; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c == '"') return i + 1;
    if (c <= 0x20 || c == 0x7f) return 0;
  }
  return 0;
}

bool IsEntityTag(std::string_view text) {
  return !text.empty() && EntityTagBytes(text) == text.size();
}

std::string_view Opaque(std::string_view tag) {
  return tag.starts_with(kWeak) ? tag.substr(kWeak.size()) : tag;
}

// The one line of a field that may have one; nullopt: there is none, or several.
std::optional<std::string_view> Only(const http::Fields& fields, FieldId id) {
  return fields.Count(id) == 1 ? fields.Find(id) : std::nullopt;
}

// Section 13.2.2, steps 3 and 4.
bool IsNotModified(const http::Fields& request, const http::Fields& stored, base::WallTime now) {
  if (request.Has(FieldId::kIfNoneMatch)) {
    const std::optional<std::string_view> tag = Only(stored, FieldId::kEtag);
    return std::any_of(request.begin(), request.end(), [&](const http::Field& field) {
      return field.id == FieldId::kIfNoneMatch && EntityTagListHas(field.value, tag.value_or(""));
    });
  }
  const std::optional<std::string_view> since = Only(request, FieldId::kIfModifiedSince);
  const std::optional<std::string_view> modified = Only(stored, FieldId::kLastModified);
  if (!since || !modified) return false;
  const std::optional<base::WallTime> since_time = http::ParseDate(*since, now);
  const std::optional<base::WallTime> modified_time = http::ParseDate(*modified, now);
  return since_time && modified_time && *modified_time <= *since_time;
}

// Section 13.1.5. By a date only where that is a strong validator (section 8.8.2.2: a minute older than the response).
bool IfRangeHolds(const http::Fields& request, const http::Fields& stored, base::WallTime now) {
  const std::optional<std::string_view> condition = request.Find(kIfRange);
  if (!condition) return true;
  const std::optional<std::string_view> tag = Only(stored, FieldId::kEtag);
  if (IsEntityTag(*condition)) return tag && SameStrongTag(*condition, *tag);
  const std::optional<base::WallTime> wanted = http::ParseDate(*condition, now);
  const std::optional<std::string_view> modified = Only(stored, FieldId::kLastModified);
  const std::optional<std::string_view> dated = Only(stored, FieldId::kDate);
  if (!wanted || !modified || !dated) return false;
  const std::optional<base::WallTime> modified_time = http::ParseDate(*modified, now);
  const std::optional<base::WallTime> date = http::ParseDate(*dated, now);
  return modified_time && date && *modified_time == *wanted && *date - *modified_time >= std::chrono::minutes(1);
}

}  // namespace

bool EntityTagListHas(std::string_view list, std::string_view tag) {
  std::string_view rest = http::TrimOws(list);
  if (rest == "*") return true;
  bool found = false;
  for (bool separated = true; !rest.empty();) {
    if (rest.front() == ',' || rest.front() == ' ' || rest.front() == '\t') {
      separated = separated || rest.front() == ',';
      rest.remove_prefix(1);
      continue;
    }
    const size_t bytes = separated ? EntityTagBytes(rest) : 0;
    if (bytes == 0) return false;
    found = found || (IsEntityTag(tag) && Opaque(rest.substr(0, bytes)) == Opaque(tag));
    rest.remove_prefix(bytes);
    separated = false;
  }
  return found;
}

bool SameStrongTag(std::string_view a, std::string_view b) {
  return a == b && IsEntityTag(a) && !a.starts_with(kWeak);
}

std::optional<ByteRange> ParseByteRange(std::string_view range, uint64_t length) {
  const size_t equals = range.find('=');
  if (equals == std::string_view::npos || !base::EqualsIgnoreCase(range.substr(0, equals), "bytes")) {
    return std::nullopt;
  }
  const std::string_view spec = http::TrimOws(range.substr(equals + 1));
  const size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const std::optional<uint64_t> first = base::ParseDecimal(spec.substr(0, dash));
  const std::optional<uint64_t> last = base::ParseDecimal(spec.substr(dash + 1));
  if ((!first && dash != 0) || (!last && dash + 1 != spec.size()) || (!first && !last)) return std::nullopt;
  if (!first) {  // the last so many
    const uint64_t count = std::min(*last, length);
    return ByteRange{length - count, count};
  }
  if (last && *last < *first) return std::nullopt;
  if (*first >= length) return ByteRange{};
  const uint64_t end = last && *last < length - 1 ? *last + 1 : length;
  return ByteRange{*first, end - *first};
}

PartialAnswer ChoosePart(const http::Fields& request, int status, const http::Fields& stored, uint64_t length,
                         base::WallTime now) {
  using Kind = PartialAnswer::Kind;
  if (status != 200) return {};
  if (IsNotModified(request, stored, now)) return {Kind::kNotModified};
  const std::optional<std::string_view> field = Only(request, FieldId::kRange);
  if (!field || !IfRangeHolds(request, stored, now)) return {};
  const std::optional<ByteRange> range = ParseByteRange(*field, length);
  if (!range) return {};
  if (range->length == 0) return {Kind::kNotSatisfiable};
  return {Kind::kPart, range->offset, range->length};
}

bool HasPreconditionForOrigin(const http::Fields& request) {
  return request.Find("if-match").has_value() || request.Find("if-unmodified-since").has_value();
}

bool AsksForLess(const http::Fields& request) {
  return request.Has(FieldId::kIfNoneMatch) || request.Has(FieldId::kIfModifiedSince) || request.Has(FieldId::kRange) ||
         request.Find(kIfRange).has_value();
}

}  // namespace portico::cache
