#include "dataplane/http/syntax.h"

#include <gtest/gtest.h>

#include <string>

namespace portico::http {
namespace {

TEST(Syntax, EveryByte) {
  for (int c = 0; c < 256; ++c) {
    const std::string one(1, static_cast<char>(c));
    const bool control = c < 0x20 || c == 0x7f;
    EXPECT_EQ(IsFieldValue(one), !control || c == '\t') << c;
    // The same inside a vector's width.
    EXPECT_EQ(IsFieldValue(std::string(9, 'a') + one + std::string(30, 'b')), !control || c == '\t') << c;
    EXPECT_EQ(IsTargetText(one), !control && c < 0x80 && c != ' ' && c != '#') << c;
    const bool separator = std::string("\"(),/:;<=>?@[\\]{} ").find(one) != std::string::npos;
    EXPECT_EQ(IsToken(one), !control && c < 0x80 && !separator) << c;
    EXPECT_EQ(IsLowercaseToken(one), IsToken(one) && !(c >= 'A' && c <= 'Z')) << c;
  }
  EXPECT_FALSE(IsToken(""));
  EXPECT_FALSE(IsLowercaseToken(""));
  EXPECT_FALSE(IsTargetText(""));
  EXPECT_TRUE(IsFieldValue(""));
}

TEST(Syntax, Authority) {
  for (const char* good : {"a", "a.b-c_d~1", "A:1", "1.2.3.4:65535", "[::1]", "[::1]:80", "[1:2::ffff:1.2.3.4]"}) {
    EXPECT_TRUE(IsAuthority(good)) << good;
  }
  for (const char* bad : {"",    ":80",  "a:",   "a:65536", "a:123456", "a:+1",       "a:b",    "a b", "a,b", "a/b",
                          "u@a", "a%41", "[::1", "[]",      "[abc]",    "[::1%eth0]", "[::1]a", "::1", "a?b", "a#b"}) {
    EXPECT_FALSE(IsAuthority(bad)) << bad;
  }
}

TEST(Syntax, Lists) {
  std::string_view rest = " a,, b ,\tc,";
  EXPECT_EQ(NextListMember(rest), "a");
  EXPECT_EQ(NextListMember(rest), "b");
  EXPECT_EQ(NextListMember(rest), "c");
  EXPECT_EQ(NextListMember(rest), std::nullopt);
  EXPECT_EQ(TrimOws(" \ta b\t "), "a b");
  EXPECT_EQ(TrimOws(" \t"), "");
}

TEST(Syntax, CopyLowercase) {
  base::Arena arena;
  EXPECT_EQ(CopyLowercase(arena, "Ab-Z9"), "ab-z9");
  EXPECT_EQ(CopyLowercase(arena, ""), "");
}

}  // namespace
}  // namespace portico::http
