#ifndef PORTICO_API_JQ_LEXER_H_
#define PORTICO_API_JQ_LEXER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace portico::jq {

enum class TokenKind : uint8_t {
  kEnd,
  kPunctuation,  // text is the operator or bracket
  kName,         // identifier or keyword
  kField,        // .name; text is the name
  kFormat,       // @name
  kNumber,
  kQuote,    // a string begins; go on with NextStringPiece()
  kInvalid,  // text is the character
};

struct Token {
  TokenKind kind = TokenKind::kEnd;
  std::string_view text;
  size_t offset = 0;
};

// The words of a program, one by one, as jq 1.6's lexer cuts them. The text must outlive it.
class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  Token Next();

  // Inside a string: text up to the closing quote or the next `\(`, escapes undone. error: what is wrong at offset().
  struct StringPiece {
    std::string text;
    bool ends_string = false;  // false: an expression follows, and its `)`, then the next piece
    std::string_view error;
  };
  StringPiece NextStringPiece();

  size_t offset() const { return at_; }

 private:
  void SkipSpaceAndComments();
  Token NextNumber();
  std::string_view TakeName();
  bool TakeEscape(StringPiece& piece);
  std::optional<uint32_t> TakeCodeUnit();

  const std::string_view text_;
  size_t at_ = 0;
};

}  // namespace portico::jq

#endif  // PORTICO_API_JQ_LEXER_H_
