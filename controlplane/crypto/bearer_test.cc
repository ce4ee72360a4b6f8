#include "controlplane/crypto/bearer.h"

#include <set>
#include <string>

#include "gtest/gtest.h"

namespace portico::openssl {
namespace {

TEST(Bearer, IsLongRandomAndPlain) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    const std::string text = NewBearer("portico");
    EXPECT_EQ(text.size(), sizeof "portico_" - 1 + 43);
    EXPECT_TRUE(text.starts_with("portico_"));
    EXPECT_EQ(text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"), text.npos);
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 100u);
}

// Every digit comes up at every place but the last, which holds four bits.
TEST(Bearer, UsesEveryBit) {
  std::set<char> first, last;
  for (int i = 0; i < 3000; ++i) {
    const std::string text = NewBearer("k");
    first.insert(text[2]);
    last.insert(text.back());
  }
  EXPECT_EQ(first.size(), 64u);
  EXPECT_EQ(last.size(), 16u);
}

// FIPS 180-4's example.
TEST(Bearer, ItsDigestIsSha256) {
  EXPECT_EQ(BearerDigest("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Bearer, IsComparedWhole) {
  EXPECT_TRUE(SameBytes("", ""));
  EXPECT_TRUE(SameBytes("abc", "abc"));
  EXPECT_FALSE(SameBytes("abc", "abd"));
  EXPECT_FALSE(SameBytes("abc", "xbc"));
  EXPECT_FALSE(SameBytes("abc", "ab"));
  EXPECT_FALSE(SameBytes("ab", "abc"));
}

}  // namespace
}  // namespace portico::openssl
