#ifndef PORTICO_DATAPLANE_HTTP_H1_HEAD_PARSER_H_
#define PORTICO_DATAPLANE_HTTP_H1_HEAD_PARSER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "dataplane/http/codec.h"
#include "dataplane/http/message.h"

// Start lines and field sections (RFC 9112 sections 2 to 5), from whole texts as LineReader gives them. Everything kept
// is copied once, into the arena of the head's fields. nullopt: all is well; otherwise what is wrong.

namespace portico::http::h1 {

using MaybeError = std::optional<MessageError>;

// kUnknown: others before one chunked at the end. kNotFramed: chunked is not last, or more than once.
enum class TransferCoding : uint8_t { kNone, kChunked, kUnknown, kNotFramed };

// What a head says about the connection and about its own end: these lines don't become fields (but content-length).
struct HeadFacts {
  size_t content_length_lines = 0;
  std::optional<uint64_t> content_length;  // of a valid line
  size_t transfer_encoding_lines = 0;
  TransferCoding transfer_coding = TransferCoding::kNone;
  size_t host_lines = 0;
  std::string_view host;  // in lower case
  bool close = false;     // connection: close
  bool expects_continue = false;
  bool expects_other = false;
};

// `line` ends in CR LF. Sets method, scheme, authority (of an absolute-form target), path and version.
// `scheme` is that of the connection. Statuses: 400, 414, 501 (CONNECT), 505.
MaybeError ParseRequestLine(std::string_view line, std::string_view scheme, const Limits& limits, RequestHead& head);
MaybeError ParseStatusLine(std::string_view line, ResponseHead& head);

// A section with its empty line: every line checked, connection-specific ones removed, the rest added to `fields`.
MaybeError ParseFieldSection(std::string_view section, Fields& fields, HeadFacts& facts);
// The same for a trailer section; fields that may not stand there are dropped.
MaybeError ParseTrailerSection(std::string_view section, Fields& fields);

// RFC 9112 section 3.2: host must be there once and valid; gives the head its authority if the target had none.
MaybeError ResolveHost(const HeadFacts& facts, RequestHead& head);

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_HEAD_PARSER_H_
