#include "dataplane/http/h2/section_reader.h"

#include <utility>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::http::h2 {
namespace {

// What each line counts beside its texts (RFC 9113 section 6.5.2, SETTINGS_MAX_HEADER_LIST_SIZE).
constexpr size_t kLineOverheadBytes = 32;

constexpr MessageError kHeadTooLarge = {431, "field section too large"};
constexpr MessageError kTooManyFields = {431, "too many fields"};
constexpr MessageError kTargetTooLong = {414, "request target too long"};
constexpr MessageError kConnectUnsupported = {501, "CONNECT is not supported"};
constexpr MessageError kSchemeUnsupported = {400, "scheme is neither http nor https"};
constexpr MessageError kUnknownExpectation = {417, "unknown expectation"};

}  // namespace

void SectionReader::Begin(size_t bytes_max) {
  fields_ = Fields(arena_);
  cookie_.clear();
  method_ = scheme_ = authority_ = path_ = status_ = {};
  refusal_.reset();
  bytes_max_ = bytes_max;
  bytes_ = count_ = 0;
}

void SectionReader::AddLine(std::string_view name, std::string_view value) {
  if (name == ":method") asks_head_alone_ = value == "HEAD";
  if (refusal_) return;
  bytes_ += name.size() + value.size() + kLineOverheadBytes;
  const bool pseudo = name.starts_with(':');
  if (!pseudo) ++count_;
  if (name == ":path" && value.size() > limits_.target_bytes_max) {
    refusal_ = kTargetTooLong;
  } else if (bytes_ > bytes_max_) {
    refusal_ = kHeadTooLarge;
  } else if (count_ > limits_.field_count_max) {
    refusal_ = kTooManyFields;
  } else if (pseudo) {
    AddPseudo(name, value);
  } else if (name == "cookie") {
    if (!cookie_.empty()) cookie_ += "; ";
    cookie_ += value;
  } else {
    fields_.Add(name, value);
  }
}

void SectionReader::AddPseudo(std::string_view name, std::string_view value) {
  const std::string_view copy = arena_.Copy(value);
  if (name == ":method") method_ = copy;
  if (name == ":scheme") scheme_ = copy;
  if (name == ":authority") authority_ = copy;
  if (name == ":path") path_ = copy;
  if (name == ":status") status_ = copy;
}

void SectionReader::JoinCookies() {
  if (!cookie_.empty()) fields_.Add(FieldId::kCookie, cookie_);
  cookie_ = {};
}

std::optional<std::string_view> SectionReader::Authority() {
  const std::optional<std::string_view> host = fields_.Find(FieldId::kHost);
  if (fields_.Count(FieldId::kHost) > 1) return std::nullopt;
  // RFC 9113 section 8.3.1: a host that differs from :authority lets two parties see two different origins.
  if (host && !authority_.empty() && !base::EqualsIgnoreCase(*host, authority_)) return std::nullopt;
  const std::string_view authority = authority_.empty() ? host.value_or("") : authority_;
  if (!IsAuthority(authority)) return std::nullopt;
  return CopyLowercase(arena_, authority);
}

std::optional<ContentFraming> SectionReader::Framing(bool ends_with_head) const {
  ContentFraming framing;
  framing.ends_with_head = ends_with_head;
  const std::optional<std::string_view> length = fields_.Find(FieldId::kContentLength);
  if (length) {
    framing.length = base::ParseDecimal(*length);
    if (!framing.length || fields_.Count(FieldId::kContentLength) > 1) return std::nullopt;
  } else if (ends_with_head) {
    framing.length = 0;
  }
  return framing;
}

SectionReader::Verdict SectionReader::FinishRequest(bool ends_with_head) {
  if (refusal_) return Verdict::kRefused;
  if (method_ == "CONNECT") {
    refusal_ = kConnectUnsupported;
    return Verdict::kRefused;
  }
  const std::optional<std::string_view> authority = Authority();
  const std::optional<ContentFraming> framing = Framing(ends_with_head);
  if (!authority || !framing || !IsToken(method_)) return Verdict::kMalformed;
  const bool asterisk = path_ == "*" && method_ == "OPTIONS";
  if (!asterisk && (!path_.starts_with('/') || !IsTargetText(path_))) return Verdict::kMalformed;
  scheme_ = CopyLowercase(arena_, scheme_);
  if (scheme_ != "http" && scheme_ != "https") {
    refusal_ = kSchemeUnsupported;
    return Verdict::kRefused;
  }
  fields_.Remove(FieldId::kHost);
  const auto asks_continue = [](const Field& line) {
    return line.id == FieldId::kExpect && base::EqualsIgnoreCase(line.value, "100-continue");
  };
  const bool expects_continue = fields_.RemoveIf(asks_continue) > 0;
  if (fields_.Has(FieldId::kExpect)) {
    refusal_ = kUnknownExpectation;
    return Verdict::kRefused;
  }
  JoinCookies();
  RequestHead head(arena_);
  head.method = method_;
  head.scheme = scheme_;
  head.authority = *authority;
  head.path = path_;
  head.framing = *framing;
  head.version = Version::kHttp2;
  // Without content there is nothing to wait for (RFC 9110 section 10.1.1).
  head.expects_continue = expects_continue && !ends_with_head;
  head.fields = std::move(fields_);
  request_.emplace(std::move(head));
  return Verdict::kWhole;
}

SectionReader::Verdict SectionReader::FinishResponse(bool ends_with_head) {
  if (refusal_) return Verdict::kRefused;
  const std::optional<uint64_t> status = base::ParseDecimal(status_);
  const std::optional<ContentFraming> framing = Framing(ends_with_head);
  if (!status || *status < 100 || *status > 599 || *status == 101 || !framing) return Verdict::kMalformed;
  JoinCookies();
  ResponseHead head(arena_);
  head.status = static_cast<int>(*status);
  head.framing = *framing;
  // A HEAD's or 304's content-length tells of a content that is not there; without one the end tells nothing of it.
  if (!fields_.Has(FieldId::kContentLength)) head.framing.length.reset();
  head.version = Version::kHttp2;
  head.fields = std::move(fields_);
  response_.emplace(std::move(head));
  return Verdict::kWhole;
}

SectionReader::Verdict SectionReader::FinishTrailers() {
  if (refusal_) return Verdict::kRefused;
  fields_.RemoveIf([](const Field& line) { return IsForbiddenInTrailers(line.id); });
  return Verdict::kWhole;
}

}  // namespace portico::http::h2
