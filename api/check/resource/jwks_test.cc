#include "api/check/resource/jwks.h"

#include <string>

#include "api/base/text.h"
#include "api/check/resource/jwks_cases.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

TEST(CheckJwks, TakesKeysThatCheckSignatures) {
  for (const JwksCase& row : JwksCases()) {
    const absl::Status status = CheckJwks(row.text);
    const std::string words(base::ToStd(status.message()));
    EXPECT_EQ(status.ok(), row.words.empty()) << row.name << ": " << words;
    // The parser's own words, with their offset, come after ours.
    const bool whole = !row.words.ends_with(": ");
    EXPECT_EQ(whole ? words : words.substr(0, row.words.size()), row.words) << row.name;
  }
}

TEST(CheckJwks, NeverShowsAKey) {
  const std::string secret = "c2VjcmV0IHNlY3JldCBzZWNyZXQ";
  const absl::Status status = CheckJwks(JwksOf("{\"kty\":\"oct\",\"k\":\"" + secret + "\"}"));
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(base::ToStd(status.message()).find(secret.substr(0, 4)), std::string_view::npos);
}

}  // namespace
}  // namespace portico::check
