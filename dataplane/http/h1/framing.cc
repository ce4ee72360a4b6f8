#include "dataplane/http/h1/framing.h"

namespace portico::http::h1 {
namespace {

// What no message may do, whatever its kind: everything that two parsers could read in two ways.
MaybeError FindContradiction(const HeadFacts& facts, Version version) {
  if (facts.transfer_encoding_lines > 0) {
    // Step 3: both fields. "ought to be handled as an error": it is request smuggling's most common form.
    if (facts.content_length_lines > 0) return MessageError{400, "both transfer-encoding and content-length"};
    // Section 6.1: transfer-encoding in HTTP/1.0 must be treated as faulty framing.
    if (version == Version::kHttp10) return MessageError{400, "transfer-encoding in HTTP/1.0"};
    if (facts.transfer_encoding_lines > 1) return MessageError{400, "more than one transfer-encoding"};
    // Step 4: without one chunked at the end nobody knows where the content ends.
    if (facts.transfer_coding == TransferCoding::kNotFramed) return MessageError{400, "transfer-encoding without end"};
    // Section 6.1: a coding that we don't understand.
    if (facts.transfer_coding != TransferCoding::kChunked) return MessageError{501, "unsupported transfer coding"};
  }
  // Step 5. Equal values could be taken as one; we don't.
  if (facts.content_length_lines > 1) return MessageError{400, "more than one content-length"};
  if (facts.content_length_lines == 1 && !facts.content_length.has_value()) {
    return MessageError{400, "malformed content-length"};
  }
  return std::nullopt;
}

Framing ByFields(const HeadFacts& facts, ContentMode otherwise) {
  if (facts.transfer_coding == TransferCoding::kChunked) return {std::nullopt, ContentMode::kChunked};  // step 4
  if (!facts.content_length.has_value()) return {std::nullopt, otherwise};                              // steps 7, 8
  if (*facts.content_length == 0) return {};
  return {std::nullopt, ContentMode::kLength, *facts.content_length};  // step 6
}

}  // namespace

Framing DecideRequestFraming(const HeadFacts& facts, Version version) {
  if (MaybeError error = FindContradiction(facts, version); error.has_value()) return {error};
  return ByFields(facts, ContentMode::kNone);
}

Framing DecideResponseFraming(const HeadFacts& facts, Version version, int status, bool without_content) {
  if (MaybeError error = FindContradiction(facts, version); error.has_value()) return {error};
  if (without_content || NeverHasContent(status)) return {};  // step 1; step 2 is for CONNECT, which we never send
  return ByFields(facts, ContentMode::kUntilClose);
}

}  // namespace portico::http::h1
