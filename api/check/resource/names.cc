#include "api/check/resource/names.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include "api/base/text.h"

namespace portico::check {
namespace {

constexpr size_t kNameBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;
constexpr size_t kFieldNameBytesMax = 256;
constexpr size_t kFieldValueBytesMax = 4096;  // longer fields are refused by many origins
constexpr size_t kPathBytesMax = 1024;        // as for the paths of matches

// The address's bytes, 4 or 16; none if it is not one. IPv4-mapped IPv6 stays IPv6.
std::string AddressBytes(std::string_view text) {
  std::array<char, sizeof(in6_addr)> bytes{};
  const std::string terminated(text);
  if (terminated.find('\0') != std::string::npos) return "";
  if (inet_pton(AF_INET, terminated.c_str(), bytes.data()) == 1) return std::string(bytes.data(), sizeof(in_addr));
  if (inet_pton(AF_INET6, terminated.c_str(), bytes.data()) == 1) return std::string(bytes.data(), bytes.size());
  return "";
}

// ::ffff:a.b.c.d/n is a.b.c.d/(n - 96); wider than that it would be a part of IPv4 under another name.
constexpr uint64_t kMappedPrefixBits = 96;
bool IsMapped(std::string_view bytes) {
  return bytes.size() == sizeof(in6_addr) && bytes.starts_with(std::string(10, '\0') + "\xff\xff");
}

bool IsLowerAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

}  // namespace

bool IsLabel(std::string_view text) {
  return !text.empty() && text.size() <= kLabelBytesMax && IsLowerAlphanumeric(text.front()) &&
         IsLowerAlphanumeric(text.back()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return IsLowerAlphanumeric(c) || c == '-'; });
}

bool IsSubdomain(std::string_view text) {
  const auto labels = base::Split(text, '.');
  return text.size() <= kNameBytesMax && std::all_of(labels.begin(), labels.end(), IsLabel);
}

bool IsHostname(std::string_view text) {
  return IsSubdomain(text.starts_with("*.") ? text.substr(2) : text);
}

bool IsToken(std::string_view text) {
  constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(), [&](char c) {
    return IsLowerAlphanumeric(base::LowerAscii(c)) || kOthers.find(c) != std::string_view::npos;
  });
}

bool IsFieldName(std::string_view text) {
  return text.size() <= kFieldNameBytesMax && IsToken(text);
}

bool IsFieldValue(std::string_view text) {
  return text.size() <= kFieldValueBytesMax && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool IsCorsOrigin(std::string_view text) {
  if (text == "*") return true;
  const size_t end = text.find("://");
  if (end == text.npos || text.size() > kFieldNameBytesMax || !(text[0] >= 'a' && text[0] <= 'z')) return false;
  const bool scheme = std::all_of(text.begin(), text.begin() + static_cast<ptrdiff_t>(end), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  });
  std::string_view host = text.substr(end + 3);
  const size_t bracket = host.rfind(']');
  const size_t colon = host.find(':', bracket == host.npos ? 0 : bracket);
  if (colon != host.npos) {
    const std::string_view digits = host.substr(colon + 1);
    const std::optional<uint64_t> port = base::ParseDecimal(digits);
    if (!port || *port == 0 || *port > 65535 || digits[0] == '0') return false;
    host = host.substr(0, colon);
  }
  if (bracket != host.npos)
    return scheme && host[0] == '[' && host.back() == ']' && IsIpAddress(host.substr(1, bracket - 1));
  return scheme && IsHostname(host);
}

bool IsSha256(std::string_view text) {
  constexpr std::string_view kOfNothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  return text.size() == kOfNothing.size() && text != kOfNothing &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsReplacementPath(std::string_view text) {
  return text.starts_with('/') && text.size() <= kPathBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f && c != '?' && c != '#'; });
}

bool IsQualifiedName(std::string_view text) {
  const size_t slash = text.find('/');
  return slash == text.npos ? IsSubdomain(text) : IsLabel(text.substr(0, slash)) && IsSubdomain(text.substr(slash + 1));
}

bool IsIpAddress(std::string_view text) {
  return !AddressBytes(text).empty();
}

std::string AddressIdentity(std::string_view text) {
  const std::string bytes = AddressBytes(text);
  if (IsMapped(bytes)) return bytes.substr(kMappedPrefixBits / 8);
  return bytes.empty() ? std::string(text) : bytes;
}

bool IsNetwork(std::string_view text) {
  const size_t slash = text.find('/');
  const std::string bytes = AddressBytes(text.substr(0, slash));
  if (bytes.empty() || slash == text.npos) return !bytes.empty();
  const std::string_view digits = text.substr(slash + 1);
  const std::optional<uint64_t> prefix = base::ParseDecimal(digits);
  if (!prefix || *prefix > bytes.size() * 8 || (digits.size() > 1 && digits.starts_with('0'))) return false;
  if (IsMapped(bytes) && *prefix < kMappedPrefixBits) return false;
  for (size_t bit = *prefix; bit < bytes.size() * 8; ++bit) {
    if ((static_cast<unsigned char>(bytes[bit / 8]) & (0x80 >> bit % 8)) != 0) return false;
  }
  return true;
}

bool IsReservedField(std::string_view name) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "connection", "content-length",    "host",    "keep-alive",    "proxy-connection", "te",
      "trailer",    "transfer-encoding", "upgrade", "http2-settings"};
  return std::any_of(kNames.begin(), kNames.end(), [&](auto other) { return base::EqualsIgnoreCase(other, name); });
}

bool IsMethod(std::string_view text) {
  static constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                               "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), text) != kMethods.end();
}

}  // namespace portico::check
