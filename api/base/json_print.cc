#include <charconv>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::base {
namespace {

void AppendEscaped(std::string& out, char c) {
  static constexpr std::string_view kLetters = "btn?fr";  // U+0008 to U+000D
  if (c == '"' || c == '\\') {
    out.push_back('\\');
    out.push_back(c);
  } else if (c >= '\b' && c <= '\r' && c != '\v') {
    out.push_back('\\');
    out.push_back(kLetters[static_cast<size_t>(c - '\b')]);
  } else {
    static constexpr std::string_view kHex = "0123456789abcdef";
    out.append("\\u00");
    out.push_back(kHex[static_cast<uint8_t>(c) >> 4]);
    out.push_back(kHex[static_cast<uint8_t>(c) & 15]);
  }
}

// DEL is escaped too, as jq does.
bool IsPlain(char c) {
  return c >= 0x20 && c < 0x7F && c != '"' && c != '\\';
}

// jq's layout of the shortest digits: 1e+16 from sixteen zeros on, 1e-05 from five places on, plain in between.
void AppendDouble(std::string& out, double number) {
  if (std::signbit(number)) out.push_back('-');
  if (number == 0) {
    out.push_back('0');
    return;
  }
  char text[40];
  const auto end = std::to_chars(text, text + sizeof text, std::fabs(number), std::chars_format::scientific);
  const std::string_view scientific(text, static_cast<size_t>(end.ptr - text));
  const size_t mark = scientific.find('e');
  std::string digits(scientific.substr(0, 1));
  if (mark > 2) digits.append(scientific.substr(2, mark - 2));
  int exponent = 0;
  const char* exponent_start = text + mark + (scientific[mark + 1] == '+' ? 2 : 1);
  std::from_chars(exponent_start, end.ptr, exponent);
  const int point = exponent + 1;  // the decimal point stands after so many digits
  const int count = static_cast<int>(digits.size());
  if (point <= -4 || point > count + 15) {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits, 1);
    out.append(scientific.substr(mark));
  } else if (point <= 0) {
    out.append("0.").append(static_cast<size_t>(-point), '0').append(digits);
  } else if (point >= count) {
    out.append(digits).append(static_cast<size_t>(point - count), '0');
  } else {
    out.append(digits, 0, static_cast<size_t>(point)).append(".").append(digits, static_cast<size_t>(point));
  }
}

// False once `out` is longer than `bytes_max`. Recursion ends at kJsonDepthMax.
bool Append(std::string& out, const Json& value, size_t bytes_max) {
  switch (value.type()) {
    case JsonType::kNull:
      out.append("null");
      break;
    case JsonType::kFalse:
      out.append("false");
      break;
    case JsonType::kTrue:
      out.append("true");
      break;
    case JsonType::kNumber:
      AppendJsonNumber(out, value);
      break;
    case JsonType::kString:
      AppendJsonString(out, value.string());
      break;
    case JsonType::kArray: {
      char before = '[';
      for (const Json& item : value.items()) {
        out.push_back(before);
        before = ',';
        if (!Append(out, item, bytes_max)) return false;
      }
      out.append(before == '[' ? "[]" : "]");
      break;
    }
    case JsonType::kObject: {
      char before = '{';
      for (const JsonMember& member : value.members()) {
        out.push_back(before);
        before = ',';
        AppendJsonString(out, member.name);
        out.push_back(':');
        if (!Append(out, member.value, bytes_max)) return false;
      }
      out.append(before == '{' ? "{}" : "}");
      break;
    }
  }
  return out.size() <= bytes_max;
}

}  // namespace

void AppendJsonNumber(std::string& out, const Json& number) {
  if (!number.number_text().empty()) {
    out.append(number.number_text());
  } else if (std::isnan(number.number())) {
    out.append("null");
  } else if (std::isinf(number.number())) {
    AppendDouble(out, std::copysign(std::numeric_limits<double>::max(), number.number()));
  } else {
    AppendDouble(out, number.number());
  }
}

void AppendJsonString(std::string& out, std::string_view text) {
  out.push_back('"');
  while (!text.empty()) {
    size_t plain = 0;
    while (plain < text.size() && IsPlain(text[plain]))
      ++plain;
    out.append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    if (static_cast<uint8_t>(text[0]) < 0x80) {
      AppendEscaped(out, text[0]);
      text.remove_prefix(1);
      continue;
    }
    const size_t length = Utf8CharacterBytes(text);
    out.append(length == 0 ? "\xEF\xBF\xBD" : text.substr(0, length));
    text.remove_prefix(length == 0 ? 1 : length);
  }
  out.push_back('"');
}

bool AppendJson(std::string& out, const Json& value, size_t bytes_max) {
  if (Append(out, value, bytes_max)) return true;
  if (out.size() > bytes_max) out.resize(bytes_max);
  return false;
}

absl::StatusOr<std::string> PrintJson(const Json& value, size_t bytes_max) {
  std::string out;
  if (!AppendJson(out, value, bytes_max)) {
    return absl::ResourceExhaustedError(ToAbsl(Concat("JSON: more than ", bytes_max, " bytes of output")));
  }
  return out;
}

}  // namespace portico::base
