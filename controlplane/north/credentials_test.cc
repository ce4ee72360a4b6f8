#include "controlplane/north/credentials.h"

#include <string>

#include "controlplane/crypto/bearer.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

TEST(DigestOfBearer, TakesOneFormAlone) {
  const struct {
    const char* name;
    std::string authorization;
    std::string token;  // "": refused
  } kRows[] = {
      {"good", "Bearer portico_abc", "portico_abc"},
      {"the scheme in any case", "bEARER x", "x"},
      {"all that is visible", "Bearer !~\"\\", "!~\"\\"},
      {"the longest", "Bearer " + std::string(kTokenBytesMax, 'x'), std::string(kTokenBytesMax, 'x')},
      {"too long", "Bearer " + std::string(kTokenBytesMax + 1, 'x'), ""},
      {"nothing", "", ""},
      {"no token", "Bearer ", ""},
      {"no scheme", "portico_abc", ""},
      {"no space", "Bearerportico_abc", ""},
      {"another scheme", "Basic YTpi", ""},
      {"two spaces", "Bearer  x", ""},
      {"a space behind", "Bearer x ", ""},
      {"a control character", "Bearer x\n", ""},
      {"not ASCII", "Bearer \xc3\xa9", ""},
  };
  for (const auto& row : kRows) {
    const absl::StatusOr<std::string> digest = DigestOfBearer(row.authorization);
    ASSERT_EQ(digest.ok(), !row.token.empty()) << row.name;
    if (digest.ok()) {
      EXPECT_EQ(*digest, openssl::BearerDigest(row.token)) << row.name;
    } else {
      EXPECT_EQ(digest.status().ToString(), "UNAUTHENTICATED: authorization must be `Bearer` and a token") << row.name;
    }
  }
}

}  // namespace
}  // namespace portico::north
