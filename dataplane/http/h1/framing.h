#ifndef PORTICO_DATAPLANE_HTTP_H1_FRAMING_H_
#define PORTICO_DATAPLANE_HTTP_H1_FRAMING_H_

#include <cstdint>
#include <optional>

#include "dataplane/http/h1/head_parser.h"

// Where a message's content ends: RFC 9112 section 6.3, step by step.

namespace portico::http::h1 {

enum class ContentMode : uint8_t { kNone, kLength, kChunked, kUntilClose };

struct Framing {
  MaybeError error;
  ContentMode mode = ContentMode::kNone;
  uint64_t length = 0;  // kLength only; never 0
};

Framing DecideRequestFraming(const HeadFacts& facts, Version version);
// `without_content`: the request was HEAD.
Framing DecideResponseFraming(const HeadFacts& facts, Version version, int status, bool without_content);

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_FRAMING_H_
