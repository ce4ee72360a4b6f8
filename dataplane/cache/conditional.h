#ifndef PORTICO_DATAPLANE_CACHE_CONDITIONAL_H_
#define PORTICO_DATAPLANE_CACHE_CONDITIONAL_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/base/time.h"
#include "dataplane/http/fields.h"

namespace portico::cache {

// Conditional requests (RFC 9110 section 13) and ranges (section 14), as a cache answers them of a whole stored
// response (RFC 9111 section 4.3.2). What can't be read is as if it were not there: the answer is then the whole.

// Of all forms, what of a stored response answers this request.
struct PartialAnswer {
  enum class Kind : uint8_t { kWhole, kNotModified, kPart, kNotSatisfiable };
  Kind kind = Kind::kWhole;
  uint64_t offset = 0, length = 0;  // of kPart
};
// `status`, `stored` and `length` are the stored response's. Only a 200 is asked about.
PartialAnswer ChoosePart(const http::Fields& request, int status, const http::Fields& stored, uint64_t length,
                         base::WallTime now);

// Preconditions that are about the origin's state and not a cache's: passed on (RFC 9111 section 4.3.2).
bool HasPreconditionForOrigin(const http::Fields& request);
// if-none-match, if-modified-since, range or if-range: what makes an answer other than the whole.
bool AsksForLess(const http::Fields& request);

// if-none-match's list: does it name this entity tag? By the weak comparison (RFC 9110 section 8.8.3.2); "*" is any.
bool EntityTagListHas(std::string_view list, std::string_view tag);
// Both the same strong entity tag.
bool SameStrongTag(std::string_view a, std::string_view b);

// One range of `bytes`, within a content of `length` bytes; a length of 0: it is beyond. nullopt: several ranges,
// another unit, or not to be read.
struct ByteRange {
  uint64_t offset = 0, length = 0;
};
std::optional<ByteRange> ParseByteRange(std::string_view range, uint64_t length);

}  // namespace portico::cache

#endif  // PORTICO_DATAPLANE_CACHE_CONDITIONAL_H_
