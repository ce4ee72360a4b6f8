#ifndef PORTICO_DATAPLANE_BASE_FILE_DESCRIPTOR_H_
#define PORTICO_DATAPLANE_BASE_FILE_DESCRIPTOR_H_

#include <unistd.h>

#include <utility>

namespace portico::base {

// Owns a file descriptor and closes it.
class FileDescriptor {
 public:
  FileDescriptor() = default;
  explicit FileDescriptor(int number) : number_(number) {}
  FileDescriptor(FileDescriptor&& other) noexcept : number_(other.Release()) {}
  FileDescriptor& operator=(FileDescriptor&& other) noexcept {
    Reset(other.Release());
    return *this;
  }
  ~FileDescriptor() { Reset(); }

  // -1: none.
  int get() const { return number_; }
  bool valid() const { return number_ >= 0; }
  int Release() { return std::exchange(number_, -1); }
  // close() is not repeated after EINTR: on Linux the descriptor is gone whatever it returns.
  void Reset(int number = -1) {
    const int old = std::exchange(number_, number);
    if (old >= 0 && old != number) ::close(old);
  }

 private:
  int number_ = -1;
};

}  // namespace portico::base

#endif  // PORTICO_DATAPLANE_BASE_FILE_DESCRIPTOR_H_
