#ifndef PORTICO_DATAPLANE_HTTP_FIELDS_H_
#define PORTICO_DATAPLANE_HTTP_FIELDS_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/base/arena.h"

namespace portico::http {

// Well-known field names carry an id, found once when the field is added, so that later look-ups compare a byte.
// The list is in fields.cc; kOther is every other name.
enum class FieldId : uint8_t {
  kOther,
  kAccept,
  kAcceptEncoding,
  kAge,
  kAuthorization,
  kCacheControl,
  kConnection,
  kContentEncoding,
  kContentLength,
  kContentType,
  kCookie,
  kDate,
  kEtag,
  kExpect,
  kExpires,
  kForwarded,
  kHost,
  kHttp2Settings,
  kIfModifiedSince,
  kIfNoneMatch,
  kKeepAlive,
  kLastModified,
  kLocation,
  kOrigin,
  kPorticoTiming,
  kPragma,
  kProxyAuthenticate,
  kProxyAuthorization,
  kProxyConnection,
  kProxyStatus,
  kRange,
  kReferer,
  kRetryAfter,
  kServer,
  kSetCookie,
  kTe,
  kTraceparent,
  kTracestate,
  kTrailer,
  kTransferEncoding,
  kUpgrade,
  kUserAgent,
  kVary,
  kVia,
  kWwwAuthenticate,
  kXForwardedFor,
  kXForwardedHost,
  kXForwardedPort,
  kXForwardedProto,
  kXRequestId,
};

// A field line (RFC 9110 section 5). Names are lower case everywhere inside the proxy.
struct Field {
  std::string_view name;
  std::string_view value;
  FieldId id;
};

FieldId FindFieldId(std::string_view lowercase_name);
std::string_view FieldName(FieldId id);  // not for kOther

// A field section: field lines in the order in which they came. Names and values live in the arena, which must outlive
// the section. Cheap to move; a copy shares the lines until either is added to or removed from, so: don't copy.
class Fields {
 public:
  explicit Fields(base::Arena& arena) : arena_(&arena) {}
  Fields(Fields&&) = default;
  Fields& operator=(Fields&&) = default;

  base::Arena& arena() const { return *arena_; }
  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const Field* begin() const { return lines_; }
  const Field* end() const { return lines_ + size_; }
  // name + value + 32 for each line, as HTTP/2 counts (RFC 9113 section 10.5.1).
  size_t list_bytes() const { return list_bytes_; }

  // Appends a line. `name` must be lower case. Add copies both texts into the arena; AddUnowned only refers to them.
  void Add(std::string_view name, std::string_view value);
  void Add(FieldId id, std::string_view value);
  void AddUnowned(std::string_view name, std::string_view value);
  void AddUnowned(FieldId id, std::string_view value);
  // Removes every line of that name, then adds one.
  void Set(std::string_view name, std::string_view value);
  void Set(FieldId id, std::string_view value);
  // Removes every line of that name; returns how many there were.
  size_t Remove(std::string_view name);
  size_t Remove(FieldId id);
  template <typename Predicate>
  size_t RemoveIf(Predicate predicate) {
    size_t kept = 0;
    const size_t before = size_;
    for (size_t i = 0; i < before; ++i) {
      if (!predicate(static_cast<const Field&>(lines_[i]))) lines_[kept++] = lines_[i];
    }
    size_ = static_cast<uint32_t>(kept);
    return before - kept;
  }

  // The first line's value. Several lines of one name: use Count and iterate, or Combined.
  std::optional<std::string_view> Find(std::string_view name) const;
  std::optional<std::string_view> Find(FieldId id) const;
  bool Has(FieldId id) const { return Find(id).has_value(); }
  size_t Count(FieldId id) const;
  // All values of that name joined by ", " (RFC 9110 section 5.3), in the arena if there is more than one.
  std::optional<std::string_view> Combined(std::string_view name) const;
  // Copies all lines of `other` to this section's end.
  void CopyFrom(const Fields& other);

 private:
  void Append(Field line);

  base::Arena* arena_;
  Field* lines_ = nullptr;
  uint32_t size_ = 0;
  uint32_t capacity_ = 0;
  size_t list_bytes_ = 0;  // of every line ever added: a bound, not an inventory
};

}  // namespace portico::http

#endif  // PORTICO_DATAPLANE_HTTP_FIELDS_H_
