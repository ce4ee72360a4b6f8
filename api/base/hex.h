#ifndef PORTICO_API_BASE_HEX_H_
#define PORTICO_API_BASE_HEX_H_

namespace portico::base {

// The value of a hexadecimal digit of either case, -1 if it is none.
constexpr int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace portico::base

#endif  // PORTICO_API_BASE_HEX_H_
