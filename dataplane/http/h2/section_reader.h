#ifndef PORTICO_DATAPLANE_HTTP_H2_SECTION_READER_H_
#define PORTICO_DATAPLANE_HTTP_H2_SECTION_READER_H_

#include <optional>
#include <string>
#include <string_view>

#include "api/base/arena.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/message.h"

namespace portico::http::h2 {

// Gathers the decoded lines of one field section of an HTTP/2 stream and makes a message head or trailers of them.
// Pure: knows neither frames nor nghttp2, which has already refused bad names and values, upper case, misplaced,
// unknown or missing pseudo-fields and connection-specific fields (RFC 9113 sections 8.2 and 8.3). The rest is here.
//
//   reader.Begin(limits.head_bytes_max);  reader.AddLine(…)*;
//   if (reader.FinishRequest(end_stream) == Verdict::kWhole) handler.OnRequest(id, reader.TakeRequest());
//
// A stream has one reader for all of its sections; `limits` and `arena` outlive it.
class SectionReader {
 public:
  enum class Verdict : uint8_t {
    kWhole,
    kRefused,    // over a limit, or nothing that we serve: refusal() says what; the stream itself is sound
    kMalformed,  // RFC 9113 section 8.1.1: a stream error
  };

  SectionReader(const Limits& limits, base::Arena& arena) : limits_(limits), arena_(arena), fields_(arena) {}

  void Begin(size_t bytes_max);
  // Texts are copied into the arena; nothing more is kept once a limit is broken, however much comes.
  void AddLine(std::string_view name, std::string_view value);

  Verdict FinishRequest(bool ends_with_head);
  Verdict FinishResponse(bool ends_with_head);
  Verdict FinishTrailers();
  MessageError refusal() const { return *refusal_; }
  // Also of a request that is refused.
  bool asks_head_alone() const { return asks_head_alone_; }

  RequestHead TakeRequest() { return *std::move(request_); }
  ResponseHead TakeResponse() { return *std::move(response_); }
  Fields TakeTrailers() { return std::move(fields_); }

 private:
  void AddPseudo(std::string_view name, std::string_view value);
  void JoinCookies();
  // The effective authority of :authority and host; nullopt: they differ or are none.
  std::optional<std::string_view> Authority();
  std::optional<ContentFraming> Framing(bool ends_with_head) const;

  const Limits& limits_;
  base::Arena& arena_;
  Fields fields_;
  std::string cookie_;  // crumbs joined (section 8.2.3)
  std::string_view method_, scheme_, authority_, path_, status_;
  std::optional<MessageError> refusal_;
  std::optional<RequestHead> request_;
  std::optional<ResponseHead> response_;
  bool asks_head_alone_ = false;
  size_t bytes_max_ = 0;
  size_t bytes_ = 0;
  size_t count_ = 0;
};

}  // namespace portico::http::h2

#endif  // PORTICO_DATAPLANE_HTTP_H2_SECTION_READER_H_
