#include "dataplane/http/h1/message_writer.h"

#include <charconv>

#include "api/base/text.h"
#include "dataplane/http/codec.h"
#include "dataplane/http/h1/reason_phrase.h"
#include "dataplane/http/syntax.h"

namespace portico::http::h1 {
namespace {

std::optional<uint64_t> DeclaredLength(const Fields& fields, const ContentFraming& framing) {
  if (framing.length.has_value()) return framing.length;
  const auto field = fields.Find(FieldId::kContentLength);
  return field.has_value() ? base::ParseDecimal(*field) : std::nullopt;
}

// Methods whose content is expected: without it they say "content-length: 0" (RFC 9110 section 8.6).
bool AnticipatesContent(std::string_view method) {
  return method == "POST" || method == "PUT" || method == "PATCH";
}

}  // namespace

void MessageWriter::AppendField(std::string_view name, std::string_view value) {
  if (!IsToken(name) || !IsFieldValue(value)) return;
  text_.append(name).append(": ").append(value).append("\r\n");
}

// Without those that this codec itself writes or that belong to another connection.
void MessageWriter::AppendFields(const Fields& fields) {
  for (const Field& field : fields) {
    if (IsConnectionSpecific(field.id) || field.id == FieldId::kContentLength || field.id == FieldId::kHost) continue;
    AppendField(field.name, field.value);
  }
}

void MessageWriter::Announce(ContentMode mode, uint64_t length) {
  mode_ = mode;
  length_left_ = mode == ContentMode::kLength ? length : 0;
  drops_content_ = false;
}

void MessageWriter::AppendFraming() {
  if (mode_ == ContentMode::kChunked) text_.append("transfer-encoding: chunked\r\n");
  if (mode_ == ContentMode::kLength) AppendField("content-length", base::Concat(length_left_));
}

void MessageWriter::FinishHead() {
  text_.append("\r\n");
  out_.Append(std::string_view(text_));
  text_.clear();
  NoteMark();
}

void MessageWriter::WriteRequestHead(const RequestHead& head, bool end) {
  const auto length = DeclaredLength(head.fields, head.framing);
  if (length.has_value()) {
    Announce(ContentMode::kLength, *length);
  } else if (!end) {
    Announce(ContentMode::kChunked, 0);
  } else if (AnticipatesContent(head.method)) {
    Announce(ContentMode::kLength, 0);
  } else {
    Announce(ContentMode::kNone, 0);
  }
  text_.append(head.method).append(" ").append(head.path).append(" HTTP/1.1\r\n");
  text_.append("host: ").append(head.authority).append("\r\n");  // also when empty (RFC 9112 section 3.2)
  AppendFields(head.fields);
  if (head.fields.Has(FieldId::kTe)) AppendField("connection", "te");  // RFC 9110 section 10.1.4
  if (head.expects_continue && !end) AppendField("expect", "100-continue");
  AppendFraming();
  FinishHead();
}

void MessageWriter::WriteInformational(const ResponseHead& head) {
  text_.append("HTTP/1.1 ").append(base::Concat(head.status, " ", ReasonPhrase(head.status), "\r\n"));
  AppendFields(head.fields);
  FinishHead();
}

void MessageWriter::WriteResponseHead(const ResponseHead& head, const ResponseOptions& options, bool end) {
  const auto length = DeclaredLength(head.fields, head.framing);
  const bool without_content = options.to_head || NeverHasContent(head.status);
  if (without_content) {
    Announce(ContentMode::kNone, 0);
  } else if (length.has_value()) {
    Announce(ContentMode::kLength, *length);
  } else if (end) {
    Announce(ContentMode::kLength, 0);
  } else {
    Announce(options.to_http10 ? ContentMode::kUntilClose : ContentMode::kChunked, 0);
  }
  drops_content_ = without_content;
  text_.append("HTTP/1.1 ").append(base::Concat(head.status, " ", ReasonPhrase(head.status), "\r\n"));
  AppendFields(head.fields);
  // To HEAD and in 304 the length is that of the content which is not there (RFC 9110 section 8.6).
  if (without_content && head.status != 204 && length.has_value()) {
    AppendField("content-length", base::Concat(*length));
  }
  AppendFraming();
  if (options.close || mode_ == ContentMode::kUntilClose) AppendField("connection", "close");
  FinishHead();
}

bool MessageWriter::WriteContent(base::Buffer& content, bool end) {
  const size_t size = content.size();
  if (drops_content_) {
    content.Clear();
    return true;
  }
  if (mode_ == ContentMode::kNone || (mode_ == ContentMode::kLength && size > length_left_)) {
    content.Clear();
    return size == 0;
  }
  if (size > 0) {
    if (mode_ == ContentMode::kChunked) {
      char digits[20];
      const auto last = std::to_chars(digits, digits + sizeof digits - 2, size, 16).ptr;
      last[0] = '\r';
      last[1] = '\n';
      out_.Append(std::string_view(digits, static_cast<size_t>(last + 2 - digits)));
    }
    out_.MoveFrom(content);
    if (mode_ == ContentMode::kChunked) out_.Append(std::string_view("\r\n"));
    if (mode_ == ContentMode::kLength) length_left_ -= size;
    NoteMark();
  }
  return !end || Finish();
}

bool MessageWriter::Finish() {
  if (mode_ == ContentMode::kChunked) out_.Append(std::string_view("0\r\n\r\n"));
  return mode_ != ContentMode::kLength || length_left_ == 0;
}

// Only chunked coding has room for them; elsewhere they are dropped (RFC 9110 section 6.5.1 allows that).
bool MessageWriter::WriteTrailers(const Fields& trailers) {
  if (drops_content_ || mode_ != ContentMode::kChunked) return Finish();
  text_.append("0\r\n");
  for (const Field& field : trailers) {
    if (!IsForbiddenInTrailers(field.id)) AppendField(field.name, field.value);
  }
  FinishHead();
  return true;
}

void MessageWriter::NoteMark() {
  was_above_low_mark_ = was_above_low_mark_ || out_.size() > kSendLowMarkBytes;
}

bool MessageWriter::MoveTo(base::Buffer& out, size_t bytes_max) {
  if (out.size() < bytes_max) out.MoveFrom(out_, bytes_max - out.size());
  if (!was_above_low_mark_ || out_.size() > kSendLowMarkBytes) return false;
  was_above_low_mark_ = false;
  return true;
}

}  // namespace portico::http::h1
