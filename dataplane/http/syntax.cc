#include "dataplane/http/syntax.h"

#include <algorithm>
#include <array>
#include <cstdint>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include "api/base/text.h"

namespace portico::http {
namespace {

constexpr uint8_t kToken = 1;
constexpr uint8_t kUpper = 2;
constexpr uint8_t kValue = 4;
constexpr uint8_t kTarget = 8;
constexpr uint8_t kHost = 16;

constexpr bool IsAlphanumeric(unsigned c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

constexpr std::array<uint8_t, 256> BuildClasses() {
  std::array<uint8_t, 256> classes{};
  for (unsigned c = 0; c < 256; ++c) {
    const bool visible = c > 0x20 && c < 0x7f;
    const char letter = static_cast<char>(c);
    if (IsAlphanumeric(c) || (visible && std::string_view("!#$%&'*+-.^_`|~").find(letter) != std::string_view::npos)) {
      classes[c] |= kToken;
    }
    if (c >= 'A' && c <= 'Z') classes[c] |= kUpper;
    if (visible || c == ' ' || c == '\t' || c >= 0x80) classes[c] |= kValue;
    if (visible && c != '#') classes[c] |= kTarget;
    if (IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') classes[c] |= kHost;
  }
  return classes;
}

constexpr std::array<uint8_t, 256> kClasses = BuildClasses();

bool AllOf(std::string_view text, uint8_t class_bit) {
  return std::all_of(text.begin(), text.end(),
                     [class_bit](char c) { return (kClasses[static_cast<unsigned char>(c)] & class_bit) != 0; });
}

bool IsPort(std::string_view text) {
  if (text.empty() || text.size() > 5) return false;
  const std::optional<uint64_t> port = base::ParseDecimal(text);
  return port.has_value() && *port <= 65535;
}

// The shape only, "[" hex, ":" and "." "]": what address it is, the resolver says.
size_t IpLiteralBytes(std::string_view text) {
  const size_t close = text.find(']');
  if (close == std::string_view::npos || close < 3) return 0;
  bool has_colon = false;
  for (const char c : text.substr(1, close - 1)) {
    const char lower = base::LowerAscii(c);
    has_colon = has_colon || c == ':';
    if (!(c >= '0' && c <= '9') && !(lower >= 'a' && lower <= 'f') && c != ':' && c != '.') return 0;
  }
  return has_colon ? close + 1 : 0;
}

}  // namespace

bool IsToken(std::string_view text) {
  return !text.empty() && AllOf(text, kToken);
}

bool IsLowercaseToken(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (kClasses[static_cast<unsigned char>(c)] & (kToken | kUpper)) == kToken;
  });
}

bool IsFieldValue(std::string_view text) {
#ifdef __SSE2__
  const __m128i space = _mm_set1_epi8(0x20);
  while (text.size() >= 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data()));
    // Unsigned "below space" as min(byte, 0x1f) == byte.
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_sub_epi8(space, _mm_set1_epi8(1))), bytes);
    const __m128i tab = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\t'));
    const __m128i del = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(0x7f));
    if (_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, control), del)) != 0) return false;
    text.remove_prefix(16);
  }
#endif
  return AllOf(text, kValue);
}

std::string_view TrimOws(std::string_view text) {
  const auto is_ows = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_ows(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && is_ows(text.back()))
    text.remove_suffix(1);
  return text;
}

bool IsAuthority(std::string_view text) {
  if (text.empty()) return false;
  size_t host_bytes = 0;
  if (text.front() == '[') {
    host_bytes = IpLiteralBytes(text);
  } else {
    host_bytes = std::min(text.find(':'), text.size());
    if (!AllOf(text.substr(0, host_bytes), kHost)) return false;
  }
  if (host_bytes == 0) return false;
  if (host_bytes == text.size()) return true;
  return text[host_bytes] == ':' && IsPort(text.substr(host_bytes + 1));
}

bool IsTargetText(std::string_view text) {
  return !text.empty() && AllOf(text, kTarget);
}

std::optional<std::string_view> NextListMember(std::string_view& rest) {
  while (!rest.empty()) {
    const size_t comma = std::min(rest.find(','), rest.size());
    const std::string_view member = TrimOws(rest.substr(0, comma));
    rest.remove_prefix(std::min(comma + 1, rest.size()));
    if (!member.empty()) return member;
  }
  return std::nullopt;
}

std::string_view CopyLowercase(base::Arena& arena, std::string_view text) {
  if (text.empty()) return {};
  char* const copy = static_cast<char*>(arena.Allocate(text.size(), 1));
  std::transform(text.begin(), text.end(), copy, [](char c) { return base::LowerAscii(c); });
  return {copy, text.size()};
}

bool IsConnectionSpecific(FieldId id) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kHttp2Settings:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kTransferEncoding:
    case FieldId::kUpgrade:
      return true;
    default:
      return false;
  }
}

bool IsProtectedFromConnection(FieldId id) {
  switch (id) {
    case FieldId::kAuthorization:
    case FieldId::kCacheControl:
    case FieldId::kContentEncoding:
    case FieldId::kContentLength:
    case FieldId::kContentType:
    case FieldId::kCookie:
    case FieldId::kExpect:
    case FieldId::kForwarded:
    case FieldId::kHost:
    case FieldId::kOrigin:
    case FieldId::kRange:
    case FieldId::kSetCookie:
    case FieldId::kVary:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
      return true;
    default:
      return false;
  }
}

bool IsForbiddenInTrailers(FieldId id) {
  return IsConnectionSpecific(id) || IsProtectedFromConnection(id) || id == FieldId::kTe || id == FieldId::kTrailer ||
         id == FieldId::kProxyAuthorization || id == FieldId::kLocation || id == FieldId::kWwwAuthenticate;
}

}  // namespace portico::http
