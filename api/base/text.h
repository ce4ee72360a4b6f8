#ifndef PORTICO_API_BASE_TEXT_H_
#define PORTICO_API_BASE_TEXT_H_

#include <charconv>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/string_view.h"

// Small text helpers over std::string_view. Debian's Abseil has a string_view of its own that does not convert from
// std's, so absl::StrCat can't be used here; ToAbsl and ToStd convert at the border to absl::Status.

namespace portico::base {

inline absl::string_view ToAbsl(std::string_view text) {
  return {text.data(), text.size()};
}
inline std::string_view ToStd(absl::string_view text) {
  return {text.data(), text.size()};
}

// Appends a piece of text or an integer.
inline void AppendTo(std::string& out, std::string_view text) {
  out.append(text);
}
inline void AppendTo(std::string& out, char c) {
  out.push_back(c);
}
template <std::integral Number>
  requires(!std::same_as<Number, char> && !std::same_as<Number, bool>)
void AppendTo(std::string& out, Number number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number);
  out.append(digits, end.ptr);
}

// Concat("port ", 80, " of ", name): one string from texts, characters and integers.
template <typename... Pieces>
std::string Concat(const Pieces&... pieces) {
  std::string out;
  (AppendTo(out, pieces), ...);
  return out;
}

// ASCII only, whatever the locale: field names and hosts are ASCII (RFC 9110 section 5.1, RFC 3986 section 3.2.2).
constexpr char LowerAscii(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}
std::string LowerAscii(std::string_view text);
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// The pieces between separators; an empty text has one empty piece.
std::vector<std::string_view> Split(std::string_view text, char separator);
std::string Join(const std::vector<std::string>& pieces, std::string_view separator);
std::string_view TrimSpace(std::string_view text);

// A text from outside as a terminal or a line of a log may have it: '?' for every control character (ASCII's, and the
// ones of ISO 6429 that UTF-8 writes in two bytes).
std::string Printable(std::string_view text);

// The whole text as an unsigned decimal number: no sign, no space, no overflow. nullopt: it is not one.
std::optional<uint64_t> ParseDecimal(std::string_view text);

// The candidate closest to `word` by edit distance, if it is close enough to be a misspelling of it (at most a third
// of its letters differ, ignoring case), else "". For "unknown field `prot`; did you mean `port`?".
std::string_view NearestName(std::string_view word, const std::vector<std::string_view>& candidates);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_TEXT_H_
