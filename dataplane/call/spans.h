#ifndef PORTICO_DATAPLANE_CALL_SPANS_H_
#define PORTICO_DATAPLANE_CALL_SPANS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "dataplane/http/fields.h"

namespace portico::call {

// Of a traceparent field's value, which is in version 00: the parent-id.
inline constexpr size_t kSpanAt = 36;
inline constexpr size_t kSpanDigits = 16;

// The spans of one exchange (W3C Trace Context section 3.2.2.4): its own, which the access log tells, and one for each
// attempt at an origin, which is what the origin hears as its parent. The n-th attempt's id is the exchange's plus n,
// so that whoever reads both finds them without another word in the log.
class Spans {
 public:
  // `own`: not 0. 0 for an exchange without a trace, which makes no span.
  explicit Spans(uint64_t own = 0) : last_(own) {}

  // Writes the next attempt's id, kSpanDigits lower-case hexadecimal digits.
  void WriteNext(char* digits) {
    if (++last_ == 0) ++last_;  // 0 is no id
    Write(last_, digits);
  }
  static void Write(uint64_t id, char* digits) {
    for (size_t i = kSpanDigits; i-- > 0; id >>= 4)
      digits[i] = "0123456789abcdef"[id & 15];
  }

 private:
  uint64_t last_;
};

// Where an attempt's id belongs: in the value of its head's traceparent field.
struct SpanPlace {
  Spans* spans = nullptr;  // nullptr: nothing is to be written
  char* digits = nullptr;  // both outlive the call

  void WriteNext() const {
    if (spans != nullptr) spans->WriteNext(digits);
  }
};

// Replaces the traceparent of a request by `value`, whose parent-id will be written anew with each attempt. Returns
// where.
inline char* SetTraceparent(http::Fields& fields, std::string_view value) {
  char* const copy = fields.arena().NewArray<char>(value.size());
  value.copy(copy, value.size());
  fields.Remove(http::FieldId::kTraceparent);
  fields.AddUnowned(http::FieldId::kTraceparent, {copy, value.size()});
  return copy + kSpanAt;
}

}  // namespace portico::call

#endif  // PORTICO_DATAPLANE_CALL_SPANS_H_
