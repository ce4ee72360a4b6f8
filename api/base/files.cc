#include "api/base/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <system_error>

#include "api/base/hex.h"
#include "api/base/text.h"

namespace portico::base {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int operator*() const { return number_; }
  bool ok() const { return number_ >= 0; }

 private:
  const int number_;
};

absl::Status Wrong(const std::string& path, std::string_view what) {
  return absl::FailedPreconditionError(ToAbsl(Concat(path, ": ", what)));
}

// With errno, which is read first.
absl::Status Failed(const std::string& path, std::string_view what) {
  const int error = errno;
  const std::string words = Concat(path, ": ", what, ": ", std::system_category().message(error));
  if (error == ENOENT) return absl::NotFoundError(ToAbsl(words));
  if (error == EEXIST) return absl::AlreadyExistsError(ToAbsl(words));
  return absl::UnavailableError(ToAbsl(words));
}

bool WriteAll(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

// All of `bytes`, for the owner's eyes alone and on the disk; else `path`, whose file it is, goes again.
absl::Status Fill(const Descriptor& file, const std::string& path, std::string_view bytes) {
  if (!file.ok()) return Failed(path, "cannot be made");
  if (fchmod(*file, 0600) == 0 && WriteAll(*file, bytes) && fsync(*file) == 0) return absl::OkStatus();
  const absl::Status status = Failed(path, "cannot be written");
  unlink(path.c_str());
  return status;
}

absl::StatusOr<std::string> ReadRest(const Descriptor& file, const std::string& path, size_t bytes_max) {
  std::string bytes;
  for (;;) {
    char piece[1 << 16];
    const ssize_t size = read(*file, piece, sizeof piece);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return Failed(path, "cannot be read");
    if (size == 0) return bytes;
    if (bytes.size() + static_cast<size_t>(size) > bytes_max) {
      return absl::ResourceExhaustedError(ToAbsl(Concat(path, ": has more than ", bytes_max, " bytes")));
    }
    bytes.append(piece, static_cast<size_t>(size));
  }
}

}  // namespace

absl::Status SyncFolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor descriptor(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!descriptor.ok()) return Failed(folder, "cannot be opened");
  return fsync(*descriptor) == 0 ? absl::OkStatus() : Failed(folder, "cannot be synchronised");
}

absl::Status WriteDurably(const std::string& path, std::string_view bytes) {
  const std::string neighbour = path + ".new";
  // A new file always: one that a crash has left, or that somebody has laid there, may be open elsewhere or lead
  // elsewhere.
  if (unlink(neighbour.c_str()) != 0 && errno != ENOENT) return Failed(neighbour, "cannot be removed");
  const Descriptor file(open(neighbour.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (absl::Status status = Fill(file, neighbour, bytes); !status.ok()) return status;
  if (std::rename(neighbour.c_str(), path.c_str()) != 0) {
    const absl::Status status = Failed(path, "cannot be replaced");
    unlink(neighbour.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

absl::StatusOr<std::string> ReadWhole(const std::string& path, size_t bytes_max) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return Failed(path, "cannot be opened");
  return ReadRest(file, path, bytes_max);
}

absl::StatusOr<FileKey> ReadKeyFile(const std::string& path) {
  const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return Failed(path, "cannot be opened");
  struct stat status{};
  if (fstat(*file, &status) != 0) return Failed(path, "cannot be read");
  if ((status.st_mode & 077) != 0) return Wrong(path, "others may read it; chmod 600 it, or make another key");
  constexpr std::string_view kForm = "must hold 64 hexadecimal digits and nothing else";
  absl::StatusOr<std::string> text = ReadRest(file, path, 2 * sizeof(FileKey) + 1);
  if (absl::IsResourceExhausted(text.status())) return Wrong(path, kForm);
  if (!text.ok()) return text.status();
  if (text->ends_with('\n')) text->pop_back();
  FileKey key;
  if (text->size() != 2 * key.size()) return Wrong(path, kForm);
  for (size_t i = 0; i < key.size(); ++i) {
    const int high = HexDigit((*text)[2 * i]), low = HexDigit((*text)[2 * i + 1]);
    if (high < 0 || low < 0) return Wrong(path, kForm);
    key[i] = static_cast<uint8_t>(high << 4 | low);
  }
  return key;
}

absl::Status MakeKeyFile(const std::string& path, const FileKey& key) {
  const std::string line = ToHex({reinterpret_cast<const char*>(key.data()), key.size()}) + "\n";
  // Whole under a name of its own before anybody can find it: a process that begins at the same time reads all of it.
  std::string neighbour = path + ".XXXXXX";
  const Descriptor file(mkostemp(neighbour.data(), O_CLOEXEC));
  if (!file.ok()) return Failed(path, "cannot be made");
  if (absl::Status status = Fill(file, neighbour, line); !status.ok()) return status;
  const absl::Status status =
      link(neighbour.c_str(), path.c_str()) == 0 ? absl::OkStatus() : Failed(path, "cannot be made");
  unlink(neighbour.c_str());
  return status.ok() ? SyncFolderOf(path) : status;
}

}  // namespace portico::base
