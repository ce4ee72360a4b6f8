#ifndef PORTICO_DATAPLANE_HTTP_H1_MESSAGE_WRITER_H_
#define PORTICO_DATAPLANE_HTTP_H1_MESSAGE_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "dataplane/base/buffer.h"
#include "dataplane/http/h1/framing.h"
#include "dataplane/http/message.h"

namespace portico::http::h1 {

// Messages as bytes, in a queue. It keeps the promise of the framing that it announced: what does not fit it is not
// written, so that content never turns into another message (response splitting).
//
//   writer.WriteResponseHead(head, options, end); writer.WriteContent(content, end)… ; writer.MoveTo(out, 256 * 1024);
//
// A field whose name or value could not be read back (a line break from a careless filter) is not written.
class MessageWriter {
 public:
  struct ResponseOptions {
    bool to_head = false;    // the request was HEAD
    bool to_http10 = false;  // no chunked coding, no 1xx
    bool close = false;
  };

  explicit MessageWriter(base::BlockPool* pool) : out_(pool) {}

  void WriteRequestHead(const RequestHead& head, bool end);
  // A 1xx head is written beside the message. Says if the end of the content can only be told by closing.
  void WriteInformational(const ResponseHead& head);
  void WriteResponseHead(const ResponseHead& head, const ResponseOptions& options, bool end);
  // False: more or less content than was announced. The connection can't be used any more.
  bool WriteContent(base::Buffer& content, bool end);
  bool WriteTrailers(const Fields& trailers);

  bool ends_by_close() const { return mode_ == ContentMode::kUntilClose; }
  size_t unsent_bytes() const { return out_.size(); }
  void Clear() { out_.Clear(); }
  // Moves bytes to `out` until that has `bytes_max`. True: the queue has fallen to the low mark.
  bool MoveTo(base::Buffer& out, size_t bytes_max);

 private:
  void AppendFields(const Fields& fields);
  void AppendField(std::string_view name, std::string_view value);
  void AppendFraming();
  void Announce(ContentMode mode, uint64_t length);
  void FinishHead();
  bool Finish();
  void NoteMark();

  base::Buffer out_;
  std::string text_;  // a head being put together; its memory is used again
  ContentMode mode_ = ContentMode::kNone;
  bool drops_content_ = false;  // an answer to HEAD, 204, 304
  bool was_above_low_mark_ = false;
  uint64_t length_left_ = 0;
};

}  // namespace portico::http::h1

#endif  // PORTICO_DATAPLANE_HTTP_H1_MESSAGE_WRITER_H_
