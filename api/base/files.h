#ifndef PORTICO_API_BASE_FILES_H_
#define PORTICO_API_BASE_FILES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace portico::base {

// Files that must be whole whenever the machine stops. All block, and every error names the path.

// Makes what was done to the names of a file's folder last (a new file, a renaming).
absl::Status SyncFolderOf(const std::string& path);

// After it, and after a crash at any point of it, `path` holds either what it held or all of `bytes`, readable for its
// owner alone. It is written under another name beside it first (PATH.new, which is made anew if it is there).
absl::Status WriteDurably(const std::string& path, std::string_view bytes);

// kNotFound: there is no such file. kResourceExhausted: it has more than `bytes_max`.
absl::StatusOr<std::string> ReadWhole(const std::string& path, size_t bytes_max);

// A key for AES-256: a file of 64 hexadecimal digits that only its owner may read.
using FileKey = std::array<uint8_t, 32>;

// kNotFound: there is no such file. kFailedPrecondition: others may read it, or something else is in it.
absl::StatusOr<FileKey> ReadKeyFile(const std::string& path);

// kAlreadyExists: there is one. Of several at once one makes it, and nobody ever finds half a key. On the disk when it
// returns: a key that is lost while what it sealed is not would lose everything.
absl::Status MakeKeyFile(const std::string& path, const FileKey& key);

}  // namespace portico::base

#endif  // PORTICO_API_BASE_FILES_H_
