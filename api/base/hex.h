#ifndef PORTICO_API_BASE_HEX_H_
#define PORTICO_API_BASE_HEX_H_

#include <string>
#include <string_view>

namespace portico::base {

// The value of a hexadecimal digit of either case, -1 if it is none.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Two digits in lower case for each byte.
inline std::string ToHex(std::string_view bytes) {
  std::string text;
  text.reserve(2 * bytes.size());
  for (const char c : bytes) {
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(c) >> 4]);
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(c) & 0xf]);
  }
  return text;
}

}  // namespace portico::base

#endif  // PORTICO_API_BASE_HEX_H_
