#include "dataplane/http/h1/head_parser.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "api/base/text.h"
#include "dataplane/http/syntax.h"

namespace portico::http::h1 {
namespace {

constexpr size_t kConnectionOptionsMax = 32;  // each is compared with each field

constexpr MessageError Bad(std::string_view detail) {
  return {400, detail};
}

struct VersionResult {
  MaybeError error;
  Version version = Version::kHttp11;
};

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

// "HTTP/1.x" with x above 1 is taken as 1.1 (RFC 9110 section 2.5); another major version is not ours.
VersionResult ParseVersion(std::string_view text) {
  if (text.size() != 8 || text.substr(0, 5) != "HTTP/" || !IsDigit(text[5]) || text[6] != '.' || !IsDigit(text[7])) {
    return {Bad("malformed HTTP version")};
  }
  if (text[5] != '1') return {MessageError{505, "unsupported HTTP version"}};
  return {std::nullopt, text[7] == '0' ? Version::kHttp10 : Version::kHttp11};
}

// RFC 9112 section 3.2.2.
MaybeError ParseAbsoluteForm(std::string_view target, RequestHead& head) {
  const size_t colon = target.find("://");
  if (colon == std::string_view::npos) return Bad("malformed request target");
  const std::string_view scheme = target.substr(0, colon);
  if (base::EqualsIgnoreCase(scheme, "http")) {
    head.scheme = "http";
  } else if (base::EqualsIgnoreCase(scheme, "https")) {
    head.scheme = "https";
  } else {
    return Bad("request target with an unsupported scheme");
  }
  const std::string_view rest = target.substr(colon + 3);
  const size_t authority_bytes = std::min(rest.find_first_of("/?"), rest.size());
  if (!IsAuthority(rest.substr(0, authority_bytes))) return Bad("request target with a malformed authority");
  base::Arena& arena = head.fields.arena();
  head.authority = CopyLowercase(arena, rest.substr(0, authority_bytes));
  const std::string_view path = rest.substr(authority_bytes);
  if (path.empty()) {
    head.path = head.method == "OPTIONS" ? "*" : "/";  // RFC 9112 section 3.2.4
  } else if (path.front() == '?') {
    head.path = arena.Copy(base::Concat("/", path));
  } else {
    head.path = arena.Copy(path);
  }
  return std::nullopt;
}

MaybeError ParseTarget(std::string_view target, RequestHead& head) {
  if (!IsTargetText(target)) return Bad("invalid byte in request target");
  if (head.method == "CONNECT") return MessageError{501, "CONNECT is not supported"};
  if (target == "*") {
    if (head.method != "OPTIONS") return Bad("asterisk-form target without OPTIONS");
    head.path = "*";
    return std::nullopt;
  }
  if (target.front() != '/') return ParseAbsoluteForm(target, head);
  head.path = head.fields.arena().Copy(target);
  return std::nullopt;
}

TransferCoding ReadTransferCoding(std::string_view value) {
  size_t codings = 0, chunked = 0;
  bool chunked_last = false;
  while (const auto coding = NextListMember(value)) {
    ++codings;
    chunked_last = base::EqualsIgnoreCase(*coding, "chunked");
    if (chunked_last) ++chunked;
  }
  if (!chunked_last || chunked > 1) return TransferCoding::kNotFramed;
  return codings == 1 ? TransferCoding::kChunked : TransferCoding::kUnknown;
}

struct FieldLine {
  MaybeError error;
  std::string_view name = {};
  std::string_view value = {};
};

FieldLine SplitFieldLine(std::string_view line) {
  if (line.front() == ' ' || line.front() == '\t') return {Bad("folded field line")};
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return {Bad("field line without a colon")};
  const std::string_view name = line.substr(0, colon);
  if (!IsToken(name)) return {Bad("malformed field name")};  // also for space before the colon: an old smuggling trick
  const std::string_view value = TrimOws(line.substr(colon + 1));
  if (!IsFieldValue(value)) return {Bad("control byte in a field value")};
  return {std::nullopt, name, value};
}

// The options of the connection lines of one head.
class ConnectionOptions {
 public:
  MaybeError Read(std::string_view value, HeadFacts& facts) {
    while (const auto member = NextListMember(value)) {
      if (!IsToken(*member)) return Bad("malformed connection option");
      if (base::EqualsIgnoreCase(*member, "close")) facts.close = true;
      if (count_ == kConnectionOptionsMax) return Bad("too many connection options");
      names_[count_++] = *member;
    }
    return std::nullopt;
  }

  // Removes what the options name (RFC 9110 section 7.6.1). Of te only "trailers" is left by now, and that stays.
  MaybeError Apply(Fields& fields) const {
    for (size_t i = 0; i < count_; ++i) {
      const std::string_view name = names_[i];
      if (IsProtectedFromConnection(FindFieldId(CopyLowercase(fields.arena(), name)))) {
        return Bad("connection option names an end-to-end field");
      }
      if (base::EqualsIgnoreCase(name, "te")) continue;
      fields.RemoveIf([name](const Field& field) { return base::EqualsIgnoreCase(field.name, name); });
    }
    return std::nullopt;
  }

 private:
  std::array<std::string_view, kConnectionOptionsMax> names_;
  size_t count_ = 0;
};

// RFC 9110 section 10.1.4: of te only "trailers" goes on.
bool ListsTrailers(std::string_view value) {
  while (const auto member = NextListMember(value)) {
    if (base::EqualsIgnoreCase(*member, "trailers")) return true;
  }
  return false;
}

void ReadContentLength(std::string_view value, Fields& fields, HeadFacts& facts) {
  ++facts.content_length_lines;
  facts.content_length = base::ParseDecimal(value);
  if (facts.content_length.has_value()) fields.Add(FieldId::kContentLength, value);
}

void ReadExpect(std::string_view value, HeadFacts& facts) {
  (base::EqualsIgnoreCase(value, "100-continue") ? facts.expects_continue : facts.expects_other) = true;
}

MaybeError TakeField(std::string_view name, std::string_view value, Fields& fields, HeadFacts& facts,
                     ConnectionOptions& options) {
  switch (FindFieldId(name)) {
    case FieldId::kConnection:
      return options.Read(value, facts);
    case FieldId::kContentLength:
      ReadContentLength(value, fields, facts);
      return std::nullopt;
    case FieldId::kTransferEncoding:
      ++facts.transfer_encoding_lines;
      facts.transfer_coding = ReadTransferCoding(value);
      return std::nullopt;
    case FieldId::kHost:
      ++facts.host_lines;
      facts.host = CopyLowercase(fields.arena(), value);
      return std::nullopt;
    case FieldId::kExpect:
      ReadExpect(value, facts);
      return std::nullopt;
    case FieldId::kTe:
      if (ListsTrailers(value) && !fields.Has(FieldId::kTe)) fields.Add(FieldId::kTe, "trailers");
      return std::nullopt;
    case FieldId::kHttp2Settings:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kUpgrade:
      return std::nullopt;
    default:
      fields.AddUnowned(name, fields.arena().Copy(value));
      return std::nullopt;
  }
}

// Calls take(name, value) for each line; it may refuse.
template <typename Take>
MaybeError ForEachField(std::string_view section, Fields& fields, Take take) {
  while (section.size() > 2) {
    const size_t end = section.find('\n');
    const FieldLine line = SplitFieldLine(section.substr(0, end - 1));
    if (line.error.has_value()) return line.error;
    if (MaybeError error = take(CopyLowercase(fields.arena(), line.name), line.value); error.has_value()) return error;
    section.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

MaybeError ParseRequestLine(std::string_view line, std::string_view scheme, const Limits& limits, RequestHead& head) {
  line.remove_suffix(2);
  const size_t first_space = line.find(' ');
  if (first_space == std::string_view::npos) return Bad("malformed request line");
  const std::string_view method = line.substr(0, first_space);
  if (!IsToken(method)) return Bad("malformed method");
  const std::string_view rest = line.substr(first_space + 1);
  const size_t last_space = rest.rfind(' ');
  if (last_space == std::string_view::npos) {
    // HTTP/0.9 has no version and no fields: an HTTP/1.x request without it is malformed.
    if (IsTargetText(rest)) return Bad("no HTTP version");
    return Bad("malformed request line");
  }
  const VersionResult version = ParseVersion(rest.substr(last_space + 1));
  if (version.error.has_value()) return version.error;
  head.version = version.version;
  const std::string_view target = rest.substr(0, last_space);
  if (target.size() > limits.target_bytes_max) return MessageError{414, "request target too long"};
  head.method = head.fields.arena().Copy(method);
  head.scheme = scheme;
  return ParseTarget(target, head);
}

// RFC 9112 section 4. The space before an empty reason phrase may be missing: it is with many servers.
MaybeError ParseStatusLine(std::string_view line, ResponseHead& head) {
  line.remove_suffix(2);
  if (line.size() < 12 || line[8] != ' ') return Bad("malformed status line");
  const VersionResult version = ParseVersion(line.substr(0, 8));
  if (version.error.has_value()) return version.error;
  const std::string_view status = line.substr(9, 3);
  if (!std::all_of(status.begin(), status.end(), IsDigit)) return Bad("malformed status code");
  if (line.size() > 12 && line[12] != ' ') return Bad("malformed status line");
  if (!IsFieldValue(line.substr(12))) return Bad("control byte in the reason phrase");
  head.status = (status[0] - '0') * 100 + (status[1] - '0') * 10 + (status[2] - '0');
  head.version = version.version;
  if (head.status < 100 || head.status > 599) return Bad("status code out of range");
  return std::nullopt;
}

MaybeError ParseFieldSection(std::string_view section, Fields& fields, HeadFacts& facts) {
  ConnectionOptions options;
  MaybeError error = ForEachField(section, fields, [&](std::string_view name, std::string_view value) {
    return TakeField(name, value, fields, facts, options);
  });
  if (error.has_value()) return error;
  return options.Apply(fields);
}

MaybeError ParseTrailerSection(std::string_view section, Fields& fields) {
  return ForEachField(section, fields, [&](std::string_view name, std::string_view value) -> MaybeError {
    if (!IsForbiddenInTrailers(FindFieldId(name))) fields.AddUnowned(name, fields.arena().Copy(value));
    return std::nullopt;
  });
}

MaybeError ResolveHost(const HeadFacts& facts, RequestHead& head) {
  if (facts.host_lines > 1) return Bad("more than one host field");
  if (facts.host_lines == 0) {
    if (head.version == Version::kHttp10) return std::nullopt;
    return Bad("missing host field");
  }
  if (!IsAuthority(facts.host)) return Bad("malformed host field");
  if (head.authority.empty()) head.authority = facts.host;
  return std::nullopt;
}

}  // namespace portico::http::h1
