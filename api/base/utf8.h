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

// The beginning of a text in at most `bytes_max`, cut between characters, and with '?' for every byte that is none:
// what a message's string may hold.
std::string Utf8Prefix(std::string_view text, size_t bytes_max);

// Appends a code point that is not a surrogate.
void AppendUtf8(std::string& out, uint32_t code_point);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_UTF8_H_
