#include "api/yaml/scalar.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "absl/status/status.h"
#include "api/base/text.h"
#include "api/portico/v1/options.pb.h"

namespace portico::yaml {
namespace {

constexpr size_t kGroupsMax = 4;  // GEP-2257
constexpr size_t kDigitsMax = 5;  // GEP-2257

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

size_t CountDigits(std::string_view text) {
  size_t count = 0;
  while (count < text.size() && IsDigit(text[count]))
    ++count;
  return count;
}

// Milliseconds of the unit that `text` begins with; its length goes to `bytes`. 0: none.
int64_t UnitMs(std::string_view text, size_t& bytes) {
  bytes = text.starts_with("ms") ? 2 : 1;
  if (text.starts_with("ms")) return 1;
  if (text.starts_with("h")) return 3'600'000;
  if (text.starts_with("m")) return 60'000;
  return text.starts_with("s") ? 1'000 : 0;
}

// Words that some YAML reader takes for something other than text.
bool IsReservedWord(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kWords = {"null", "true", "false", "yes", "no",
                                                              "on",   "off",  "y",     "n",   "nan"};
  return std::any_of(kWords.begin(), kWords.end(),
                     [&](std::string_view word) { return base::EqualsIgnoreCase(word, text); });
}

bool IsPlainWord(std::string_view text) {
  if (text.empty() || IsReservedWord(text)) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '/'; };
  return letter(text[0]) && std::all_of(text.begin(), text.end(), [&](char c) {
           return letter(c) || IsDigit(c) || c == '-' || c == '_' || c == '.';
         });
}

}  // namespace

std::optional<google::protobuf::Duration> ParseDuration(std::string_view text) {
  int64_t total_ms = 0;
  size_t groups = 0;
  while (!text.empty()) {
    const size_t digits = CountDigits(text);
    if (digits == 0 || digits > kDigitsMax || ++groups > kGroupsMax) return std::nullopt;
    const std::optional<uint64_t> number = base::ParseDecimal(text.substr(0, digits));
    text.remove_prefix(digits);
    size_t unit_bytes = 0;
    const int64_t unit_ms = UnitMs(text, unit_bytes);
    if (!number.has_value() || unit_ms == 0) return std::nullopt;
    total_ms += static_cast<int64_t>(*number) * unit_ms;
    text.remove_prefix(unit_bytes);
  }
  if (groups == 0) return std::nullopt;
  google::protobuf::Duration duration;
  duration.set_seconds(total_ms / 1000);
  duration.set_nanos(static_cast<int32_t>(total_ms % 1000) * 1'000'000);
  return duration;
}

absl::StatusOr<std::string> FormatDuration(const google::protobuf::Duration& duration) {
  const int64_t seconds = duration.seconds();
  const int64_t nanos = duration.nanos();
  if (seconds < 0 || nanos < 0 || nanos > 999'999'999 || nanos % 1'000'000 != 0 || seconds / 3600 > 99'999) {
    return absl::InvalidArgumentError("a duration that GEP-2257 cannot write");
  }
  std::string out;
  const std::pair<int64_t, std::string_view> groups[] = {
      {seconds / 3600, "h"}, {seconds / 60 % 60, "m"}, {seconds % 60, "s"}, {nanos / 1'000'000, "ms"}};
  for (const auto& [number, unit] : groups) {
    if (number != 0) out += base::Concat(number, unit);
  }
  return out.empty() ? "0s" : out;
}

std::optional<uint64_t> ParseUnsigned(std::string_view text) {
  if (text.size() > 1 && text[0] == '0') return std::nullopt;
  return base::ParseDecimal(text);
}

std::optional<int64_t> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  const std::optional<uint64_t> magnitude = ParseUnsigned(text.substr(negative ? 1 : 0));
  if (!magnitude.has_value() || *magnitude > static_cast<uint64_t>(INT64_MAX)) return std::nullopt;
  return negative ? -static_cast<int64_t>(*magnitude) : static_cast<int64_t>(*magnitude);
}

std::optional<double> ParseNumber(std::string_view text) {
  std::string_view rest = text.starts_with('-') ? text.substr(1) : text;
  size_t digits = CountDigits(rest);
  if (digits == 0 || (digits > 1 && rest[0] == '0')) return std::nullopt;
  rest.remove_prefix(digits);
  if (rest.starts_with('.')) {
    digits = CountDigits(rest.substr(1));
    if (digits == 0) return std::nullopt;
    rest.remove_prefix(digits + 1);
  }
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    digits = CountDigits(rest);
    if (digits == 0) return std::nullopt;
    rest.remove_prefix(digits);
  }
  double value = 0;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (!rest.empty() || result.ec != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string EnumName(const google::protobuf::EnumValueDescriptor& value) {
  return value.options().GetExtension(portico::v1::yaml_name);
}

const google::protobuf::EnumValueDescriptor* EnumByName(const google::protobuf::EnumDescriptor& type,
                                                        std::string_view name) {
  if (name.empty()) return nullptr;
  for (int i = 0; i < type.value_count(); ++i) {
    if (EnumName(*type.value(i)) == name) return type.value(i);
  }
  return nullptr;
}

std::string QuoteText(std::string_view text) {
  if (IsPlainWord(text)) return std::string(text);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out = "\"";
  for (size_t i = 0; i < text.size(); ++i) {
    const unsigned char c = static_cast<unsigned char>(text[i]);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += text[i];
    } else if (c == '\n') {
      out += "\\n";
    } else if (c < 0x20 || c == 0x7f) {
      out += base::Concat("\\x", kHex[c >> 4], kHex[c & 15]);
    } else if (text.substr(i).starts_with("\xc2\x85") || text.substr(i).starts_with("\xc2\xa0")) {
      out += text.substr(i).starts_with("\xc2\x85") ? "\\x85" : "\\xa0";
      ++i;
    } else if (text.substr(i).starts_with("\xef\xbb\xbf")) {
      out += "\\ufeff";
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out + "\"";
}

}  // namespace portico::yaml
