#include "api/check/resource/names.h"

#include <algorithm>
#include <array>

#include "api/base/text.h"

namespace portico::check {
namespace {

constexpr size_t kNameBytesMax = 253;
constexpr size_t kLabelBytesMax = 63;

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
