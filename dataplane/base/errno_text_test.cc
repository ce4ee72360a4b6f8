#include "dataplane/base/errno_text.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace portico::base {
namespace {

TEST(ErrnoText, SaysItInOurWords) {
  const struct {
    int error;
    const char* text;
  } rows[] = {
      {ECONNREFUSED, "connection refused"},
      {ECONNRESET, "connection reset by peer"},
      {ETIMEDOUT, "connection timed out"},
      {EADDRINUSE, "address in use"},
      {EHOSTUNREACH, "no route to host"},
      {ELIBMAX, "attempting to link in too many shared libraries"},
      {99999, "error 99999"},
      {-1, "error -1"},
  };
  for (const auto& row : rows)
    EXPECT_EQ(ErrnoText(row.error), row.text);
}

}  // namespace
}  // namespace portico::base
