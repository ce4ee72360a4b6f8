#ifndef PORTICO_TEST_CONFORMANCE_LISTS_H_
#define PORTICO_TEST_CONFORMANCE_LISTS_H_

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>

#include "gtest/gtest.h"

namespace portico::conformance {

inline std::string ReadAll(const std::string& path) {
  std::ifstream file(path);
  EXPECT_TRUE(file.good()) << path;
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// `found` is what the list at `path` (from the root of the repository) says. Under `bazel run` with RENEW_LISTS set the
// list is written instead.
inline void ExpectList(const std::string& found, const std::string& path) {
  const char* root = std::getenv("BUILD_WORKSPACE_DIRECTORY");
  if (std::getenv("RENEW_LISTS") != nullptr && root != nullptr) {
    std::ofstream file(std::string(root) + "/" + path);
    file << found;
    ASSERT_TRUE(file.flush().good()) << path;
    return;
  }
  const std::string listed = ReadAll(path);
  if (found == listed) return;
  std::istringstream left(found), right(listed);
  std::string is, should_be;
  size_t line = 0;
  do {
    ++line;
    if (!std::getline(left, is)) is = "(nothing more)";
    if (!std::getline(right, should_be)) should_be = "(nothing more)";
  } while (is == should_be);
  FAIL() << path << ":" << line << " says: " << should_be << "\nbut it is: " << is
         << "\nREADME.md says how to renew the list.";
}

}  // namespace portico::conformance

#endif  // PORTICO_TEST_CONFORMANCE_LISTS_H_
