#ifndef PORTICO_TEST_SUPPORT_DESCRIPTOR_PAIRS_H_
#define PORTICO_TEST_SUPPORT_DESCRIPTOR_PAIRS_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <utility>

#include "dataplane/base/file_descriptor.h"

namespace portico::test {

// What is written to one end is read at the other: what a process may have as its standard output. Both block.
struct DescriptorPair {
  base::FileDescriptor reader, writer;
};

inline DescriptorPair MakePipe() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  return {base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

inline DescriptorPair MakeSocket() {
  int ends[2] = {-1, -1};
  EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
  return {base::FileDescriptor(ends[0]), base::FileDescriptor(ends[1])};
}

// Turns every "\n" into "\r\n".
inline DescriptorPair MakeTerminal() {
  base::FileDescriptor reader(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC));
  EXPECT_EQ(::grantpt(reader.get()), 0);
  EXPECT_EQ(::unlockpt(reader.get()), 0);
  char name[64] = {};
  EXPECT_EQ(::ptsname_r(reader.get(), name, sizeof name), 0);
  base::FileDescriptor writer(::open(name, O_RDWR | O_NOCTTY | O_CLOEXEC));
  return {std::move(reader), std::move(writer)};
}

}  // namespace portico::test

#endif  // PORTICO_TEST_SUPPORT_DESCRIPTOR_PAIRS_H_
