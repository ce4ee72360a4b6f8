#include "dataplane/downstream/trace.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "api/base/hex.h"

namespace portico::downstream {
namespace {

using http::FieldId;

constexpr size_t kTraceAt = 3, kTraceDigits = 32;  // of a traceparent: 00-trace-parent-flags
constexpr size_t kFlagsAt = 53;
constexpr size_t kBytes = 55;
constexpr int kKnownFlags = 0x03;  // sampled (level 1), random (level 2); others must be sent as 0

bool IsLowerHex(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool AllZero(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c == '0'; });
}

uint64_t NewSpan(base::Random& random) {
  uint64_t id = 0;
  while (id == 0)
    id = random.Next();
  return id;
}

}  // namespace

Trace JoinTrace(http::Fields& fields, bool begin, base::Random& random) {
  char text[] = "00-tttttttttttttttttttttttttttttttt-pppppppppppppppp-01";
  Trace trace;
  const auto brought = fields.Find(FieldId::kTraceparent);
  if (brought && fields.Count(FieldId::kTraceparent) == 1 && IsTraceparent(*brought)) {
    trace.parent_span = brought->substr(call::kSpanAt, call::kSpanDigits);
    brought->substr(kTraceAt, kTraceDigits).copy(text + kTraceAt, kTraceDigits);
    text[kFlagsAt + 1] = static_cast<char>('0' + (base::HexDigit((*brought)[kFlagsAt + 1]) & kKnownFlags));
  } else {
    fields.Remove(FieldId::kTracestate);
    if (!begin) {
      if (brought) fields.Remove(FieldId::kTraceparent);
      return trace;
    }
    do
      random.FillHex(text + kTraceAt, kTraceDigits);
    while (AllZero({text + kTraceAt, kTraceDigits}));
  }
  const uint64_t span = NewSpan(random);
  call::Spans::Write(span, text + call::kSpanAt);
  trace.spans = call::Spans(span);
  trace.span_id = fields.arena().Copy({text + call::kSpanAt, call::kSpanDigits});
  trace.digits = call::SetTraceparent(fields, {text, kBytes});
  trace.id = fields.Find(FieldId::kTraceparent)->substr(kTraceAt, kTraceDigits);
  return trace;
}

// W3C Trace Context, section 3.2. A higher version may have more after a dash; its first four parts are the same.
bool IsTraceparent(std::string_view text) {
  if (text.size() < kBytes || (text.size() > kBytes && text[kBytes] != '-')) return false;
  if (text[2] != '-' || text[35] != '-' || text[52] != '-') return false;
  const std::string_view version = text.substr(0, 2), trace = text.substr(kTraceAt, kTraceDigits),
                         span = text.substr(call::kSpanAt, call::kSpanDigits);
  if (!IsLowerHex(version) || !IsLowerHex(trace) || !IsLowerHex(span) || !IsLowerHex(text.substr(kFlagsAt, 2))) {
    return false;
  }
  if (version == "ff" || (version == "00" && text.size() != kBytes)) return false;
  return !AllZero(trace) && !AllZero(span);
}

}  // namespace portico::downstream
