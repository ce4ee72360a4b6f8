#ifndef PORTICO_API_BASE_UTF8_H_
#define PORTICO_API_BASE_UTF8_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// UTF-8 as RFC 3629 has it: no overlong form, no surrogate, nothing above U+10FFFF.

namespace portico::base {

// The length of the character that `text` begins with, or 0: it begins with none.
size_t Utf8CharacterBytes(std::string_view text);

bool IsUtf8(std::string_view text);

// Characters in valid UTF-8.
size_t Utf8Length(std::string_view text);

// Appends a code point that is not a surrogate.
void AppendUtf8(std::string& out, uint32_t code_point);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_UTF8_H_
