#include <algorithm>
#include <cmath>
#include <optional>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/charconv.h"
#include "api/base/hex.h"
#include "api/base/json.h"
#include "api/base/text.h"
#include "api/base/utf8.h"

namespace portico::base {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHighSurrogate(uint32_t unit) {
  return unit >= 0xD800 && unit < 0xDC00;
}
bool IsLowSurrogate(uint32_t unit) {
  return unit >= 0xDC00 && unit < 0xE000;
}

// Recursive descent. Each level costs one frame of ParseValue, and levels are limited before they are entered.
class Parser {
 public:
  Parser(std::string_view text, Arena& arena, const JsonParseOptions& options)
      : text_(text), arena_(arena), options_(options), depth_max_(std::min(options.depth_max, kJsonDepthMax)) {}

  absl::StatusOr<Json> Parse() {
    Json value;
    if (!ParseValue(0, value)) return error_;
    SkipSpace();
    if (at_ != text_.size()) {
      Fail("text after the value");
      return error_;
    }
    return value;
  }

 private:
  // Every Parse… returns false after a Fail….
  bool Fail(std::string_view what) {
    error_ = absl::InvalidArgumentError(ToAbsl(Concat("JSON: ", what, " at byte ", at_)));
    return false;
  }
  bool FailLimit(std::string_view name, size_t limit) {
    error_ = absl::ResourceExhaustedError(ToAbsl(Concat("JSON: more than ", limit, " ", name)));
    return false;
  }

  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) {
      ++at_;
    }
  }

  bool ParseValue(size_t depth, Json& value);
  bool ParseArray(size_t depth, Json& value);
  bool ParseObject(size_t depth, Json& value);
  bool ParseWord(std::string_view word, Json meaning, Json& value);
  bool ParseNumber(Json& value);
  bool ParseDigits();
  bool ParseString(std::string_view& value);
  bool ParseStringWithEscapes(size_t start, std::string_view& value);
  bool ParseEscape();
  bool ParseUnicodeEscape();
  std::optional<uint32_t> ParseCodeUnit();

  const std::string_view text_;
  Arena& arena_;
  const JsonParseOptions& options_;
  const size_t depth_max_;
  size_t at_ = 0;
  size_t values_ = 0;
  // Elements of the arrays and objects that are still open, innermost last.
  std::vector<Json> items_;
  std::vector<JsonMember> members_;
  std::string unescaped_;
  absl::Status error_;
};

bool Parser::ParseValue(size_t depth, Json& value) {
  SkipSpace();
  if (++values_ > options_.values_max) return FailLimit("values", options_.values_max);
  switch (Peek()) {
    case '{':
      return ParseObject(depth, value);
    case '[':
      return ParseArray(depth, value);
    case '"': {
      std::string_view text;
      if (!ParseString(text)) return false;
      value = Json::String(text);
      return true;
    }
    case 't':
      return ParseWord("true", Json::Bool(true), value);
    case 'f':
      return ParseWord("false", Json::Bool(false), value);
    case 'n':
      return ParseWord("null", Json(), value);
    default:
      if (at_ == text_.size()) return Fail("a value is missing");
      return ParseNumber(value);
  }
}

bool Parser::ParseArray(size_t depth, Json& value) {
  if (depth >= depth_max_) return FailLimit("levels", depth_max_);
  ++at_;
  const size_t first = items_.size();
  SkipSpace();
  if (!Take(']')) {
    do {
      Json item;
      if (!ParseValue(depth + 1, item)) return false;
      items_.push_back(item);
      SkipSpace();
    } while (Take(','));
    if (!Take(']')) return Fail("expected `,` or `]`");
  }
  value = Json::Array(arena_, std::span(items_).subspan(first));
  items_.resize(first);
  return true;
}

bool Parser::ParseObject(size_t depth, Json& value) {
  if (depth >= depth_max_) return FailLimit("levels", depth_max_);
  ++at_;
  const size_t first = members_.size();
  SkipSpace();
  if (!Take('}')) {
    do {
      SkipSpace();
      if (Peek() != '"') return Fail("expected a member's name");
      JsonMember member;
      if (!ParseString(member.name)) return false;
      SkipSpace();
      if (!Take(':')) return Fail("expected `:`");
      if (!ParseValue(depth + 1, member.value)) return false;
      members_.push_back(member);
      SkipSpace();
    } while (Take(','));
    if (!Take('}')) return Fail("expected `,` or `}`");
  }
  value = Json::Object(arena_, std::span(members_).subspan(first));
  if (options_.refuse_duplicate_names && value.members().size() != members_.size() - first) {
    return Fail("an object with two members of one name ends");
  }
  members_.resize(first);
  return true;
}

bool Parser::ParseWord(std::string_view word, Json meaning, Json& value) {
  if (text_.substr(at_, word.size()) != word) return Fail("not a JSON value");
  at_ += word.size();
  value = meaning;
  return true;
}

bool Parser::ParseDigits() {
  if (!IsDigit(Peek())) return Fail("expected a digit");
  while (IsDigit(Peek()))
    ++at_;
  return true;
}

// RFC 8259 section 6: no leading zero, no plus, digits on both sides of the point.
bool Parser::ParseNumber(Json& value) {
  const size_t start = at_;
  Take('-');
  if (!IsDigit(Peek())) return Fail("not a JSON value");
  if (!Take('0') && !ParseDigits()) return false;
  if (IsDigit(Peek())) return Fail("a number with a leading zero");
  if (Take('.') && !ParseDigits()) return false;
  if (Take('e') || Take('E')) {
    if (!Take('+')) Take('-');
    if (!ParseDigits()) return false;
  }
  const std::string_view text = text_.substr(start, at_ - start);
  value = Json::Number(JsonNumberValue(text), text);
  return true;
}

// The usual string has no escape and stays where it is.
bool Parser::ParseString(std::string_view& value) {
  ++at_;
  const size_t start = at_;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      value = text_.substr(start, at_ - start);
      ++at_;
      return true;
    }
    if (c == '\\') return ParseStringWithEscapes(start, value);
    if (static_cast<uint8_t>(c) < 0x20) return Fail("a control character in a string");
    const size_t length = Utf8CharacterBytes(text_.substr(at_));
    if (length == 0) return Fail("not UTF-8");
    at_ += length;
  }
  return Fail("a string without its end");
}

bool Parser::ParseStringWithEscapes(size_t start, std::string_view& value) {
  unescaped_.assign(text_.substr(start, at_ - start));
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      value = arena_.Copy(unescaped_);
      return true;
    }
    if (c == '\\') {
      if (!ParseEscape()) return false;
      continue;
    }
    if (static_cast<uint8_t>(c) < 0x20) return Fail("a control character in a string");
    const size_t length = Utf8CharacterBytes(text_.substr(at_));
    if (length == 0) return Fail("not UTF-8");
    unescaped_.append(text_.substr(at_, length));
    at_ += length;
  }
  return Fail("a string without its end");
}

bool Parser::ParseEscape() {
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  ++at_;
  if (Take('u')) return ParseUnicodeEscape();
  const size_t place = at_ < text_.size() ? kLetters.find(text_[at_]) : std::string_view::npos;
  if (place == std::string_view::npos) return Fail("an unknown escape");
  unescaped_.push_back(kMeanings[place]);
  ++at_;
  return true;
}

std::optional<uint32_t> Parser::ParseCodeUnit() {
  if (text_.size() - at_ < 4) return std::nullopt;
  uint32_t unit = 0;
  for (size_t i = 0; i < 4; ++i) {
    const int digit = HexDigit(text_[at_ + i]);
    if (digit < 0) return std::nullopt;
    unit = unit << 4 | static_cast<uint32_t>(digit);
  }
  at_ += 4;
  return unit;
}

bool Parser::ParseUnicodeEscape() {
  const std::optional<uint32_t> unit = ParseCodeUnit();
  if (!unit) return Fail("an unknown escape");
  if (!IsHighSurrogate(*unit) && !IsLowSurrogate(*unit)) {
    AppendUtf8(unescaped_, *unit);
    return true;
  }
  if (IsHighSurrogate(*unit) && text_.substr(at_, 2) == "\\u") {
    const size_t before = at_;
    at_ += 2;
    const std::optional<uint32_t> low = ParseCodeUnit();
    if (low && IsLowSurrogate(*low)) {
      AppendUtf8(unescaped_, 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00));
      return true;
    }
    at_ = before;
  }
  if (!options_.replace_lone_surrogates) return Fail("half a surrogate pair");
  AppendUtf8(unescaped_, 0xFFFD);
  return true;
}

}  // namespace

double JsonNumberValue(std::string_view text) {
  double number = 0;
  const absl::from_chars_result result = absl::from_chars(text.data(), text.data() + text.size(), number);
  // Abseil reports the largest double where jq, and IEEE 754, have infinity.
  const bool too_large = result.ec == std::errc::result_out_of_range && std::fabs(number) > 1;
  return too_large ? std::copysign(HUGE_VAL, number) : number;
}

absl::StatusOr<Json> ParseJson(std::string_view text, Arena& arena, const JsonParseOptions& options) {
  // Counts in a Json have 32 bits.
  const size_t bytes_max = std::min<size_t>(options.bytes_max, UINT32_MAX);
  if (text.size() > bytes_max) {
    return absl::ResourceExhaustedError(ToAbsl(Concat("JSON: more than ", bytes_max, " bytes")));
  }
  // One copy of the whole, so that strings and numbers can point into it and the caller's text may go.
  return Parser(arena.Copy(text), arena, options).Parse();
}

}  // namespace portico::base
