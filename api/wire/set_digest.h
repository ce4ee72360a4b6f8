#ifndef PORTICO_API_WIRE_SET_DIGEST_H_
#define PORTICO_API_WIRE_SET_DIGEST_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "api/base/check.h"
#include "api/base/hex.h"

namespace portico::wire {

// What is hashed for one resource of a set. None of the parts can hold a NUL.
inline std::string DigestInput(std::string_view type_url, std::string_view name, std::string_view version) {
  std::string text(type_url);
  text.append(1, '\0').append(name).append(1, '\0').append(version);
  return text;
}

// A digest of a set that costs what changes of it: the sum, modulo 2^128, of the first 16 bytes (big-endian) of the
// SHA-256 of each element. It finds mistakes of ours; the stream's TLS keeps out who would forge one.
class SetDigest {
 public:
  // `sha256`: of DigestInput, at least its first 16 bytes.
  void Add(std::string_view sha256) { sum_ += Number(sha256); }
  void Remove(std::string_view sha256) { sum_ -= Number(sha256); }

  // 32 hexadecimal digits.
  std::string ToString() const {
    std::string bytes;
    for (int shift = 120; shift >= 0; shift -= 8)
      bytes.push_back(static_cast<char>(sum_ >> shift & 0xff));
    return base::ToHex(bytes);
  }

 private:
  __extension__ using Sum = unsigned __int128;

  static Sum Number(std::string_view sha256) {
    PORTICO_CHECK(sha256.size() >= 16);
    Sum number = 0;
    for (size_t i = 0; i < 16; ++i)
      number = number << 8 | static_cast<unsigned char>(sha256[i]);
    return number;
  }

  Sum sum_ = 0;
};

}  // namespace portico::wire

#endif  // PORTICO_API_WIRE_SET_DIGEST_H_
