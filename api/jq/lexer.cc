#include "api/jq/lexer.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/base/utf8.h"

namespace portico::jq {
namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}
bool IsNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool IsName(char c) {
  return IsNameStart(c) || IsDigit(c);
}

// Longest first.
constexpr std::array<std::string_view, 31> kPunctuation = {
    "?//=", "?//", "//=", "..", "|=", "+=", "-=", "*=", "/=", "%=", "==", "!=", "<=", ">=", "//", "?",
    "|",    ",",   ".",   "[",  "]",  "{",  "}",  "(",  ")",  ":",  ";",  "+",  "-",  "*",  "/"};
constexpr std::string_view kSinglePunctuation = "%<>=$";

}  // namespace

void Lexer::SkipSpaceAndComments() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '#') {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++at_;
    } else {
      return;
    }
  }
}

std::string_view Lexer::TakeName() {
  const size_t start = at_;
  while (at_ < text_.size() && IsName(text_[at_]))
    ++at_;
  return text_.substr(start, at_ - start);
}

Token Lexer::Next() {
  SkipSpaceAndComments();
  const size_t offset = at_;
  if (at_ == text_.size()) return {TokenKind::kEnd, "", offset};
  const char c = text_[at_];
  const char next = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
  if (IsDigit(c) || (c == '.' && IsDigit(next))) return NextNumber();
  if (IsNameStart(c)) return {TokenKind::kName, TakeName(), offset};
  if ((c == '.' && IsNameStart(next)) || c == '@') {
    ++at_;
    return {c == '@' ? TokenKind::kFormat : TokenKind::kField, TakeName(), offset};
  }
  if (c == '"') {
    ++at_;
    return {TokenKind::kQuote, text_.substr(offset, 1), offset};
  }
  for (const std::string_view candidate : kPunctuation) {
    if (text_.substr(at_, candidate.size()) == candidate) {
      at_ += candidate.size();
      return {TokenKind::kPunctuation, text_.substr(offset, candidate.size()), offset};
    }
  }
  const bool known = kSinglePunctuation.find(c) != std::string_view::npos;
  at_ += std::max<size_t>(base::Utf8CharacterBytes(text_.substr(at_)), 1);
  return {known ? TokenKind::kPunctuation : TokenKind::kInvalid, text_.substr(offset, at_ - offset), offset};
}

Token Lexer::NextNumber() {
  const size_t start = at_;
  const auto digits = [this] {
    while (at_ < text_.size() && IsDigit(text_[at_]))
      ++at_;
  };
  digits();
  if (at_ < text_.size() && text_[at_] == '.') {
    ++at_;
    digits();
  }
  if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
    const size_t mark = at_++;
    if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) ++at_;
    const size_t exponent = at_;
    digits();
    if (at_ == exponent) at_ = mark;
  }
  return {TokenKind::kNumber, text_.substr(start, at_ - start), start};
}

Lexer::StringPiece Lexer::NextStringPiece() {
  StringPiece piece;
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '"') {
      ++at_;
      piece.ends_string = true;
      return piece;
    }
    if (c != '\\') {
      piece.text.push_back(c);
      ++at_;
      continue;
    }
    ++at_;
    if (at_ < text_.size() && text_[at_] == '(') {
      ++at_;
      return piece;
    }
    if (!TakeEscape(piece)) return piece;
  }
  piece.error = "a string without its end";
  return piece;
}

bool Lexer::TakeEscape(StringPiece& piece) {
  static constexpr std::string_view kLetters = "\"\\/bfnrt";
  static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
  const char letter = at_ < text_.size() ? text_[at_] : '\0';
  const size_t place = letter == '\0' ? std::string_view::npos : kLetters.find(letter);
  if (place != std::string_view::npos) {
    ++at_;
    piece.text.push_back(kMeanings[place]);
    return true;
  }
  piece.error = "an unknown escape in a string";
  if (letter != 'u') return false;
  ++at_;
  std::optional<uint32_t> unit = TakeCodeUnit();
  if (!unit) return false;
  if (*unit >= 0xD800 && *unit < 0xE000) {
    piece.error = "half a surrogate pair in a string";
    if (*unit >= 0xDC00 || text_.substr(at_, 2) != "\\u") return false;
    at_ += 2;
    const std::optional<uint32_t> low = TakeCodeUnit();
    if (!low || *low < 0xDC00 || *low >= 0xE000) return false;
    unit = 0x10000 + ((*unit - 0xD800) << 10) + (*low - 0xDC00);
  }
  piece.error = {};
  base::AppendUtf8(piece.text, *unit);
  return true;
}

std::optional<uint32_t> Lexer::TakeCodeUnit() {
  const std::string_view digits = text_.substr(at_, 4);
  uint32_t unit = 0;
  const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
  if (digits.size() != 4 || result.ptr != digits.data() + 4) return std::nullopt;
  at_ += 4;
  return unit;
}

}  // namespace portico::jq
