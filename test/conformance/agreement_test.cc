// What api/check takes, the data plane takes, and the other way round: two readings of one grammar.

#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/check/resource/jwks.h"
#include "api/check/resource/jwks_cases.h"
#include "api/check/resource/names.h"
#include "dataplane/filters/auth/jwks.h"
#include "dataplane/net/address.h"
#include "gtest/gtest.h"

namespace portico::conformance {
namespace {

const std::vector<std::string>& Networks() {
  static const std::vector<std::string> kNetworks = {"10.0.0.0/8",
                                                     "10.0.0.1/8",
                                                     "10.0.0.1/32",
                                                     "10.0.0.1",
                                                     "0.0.0.0/0",
                                                     "10.0.0.0/33",
                                                     "10.0.0.0/08",
                                                     "10.0.0.0/",
                                                     "10.0.0.0/-1",
                                                     "10.0.0.0/+8",
                                                     "10.0.0.0/8/8",
                                                     "",
                                                     "/8",
                                                     "10/8",
                                                     "010.0.0.0/8",
                                                     "::/0",
                                                     "fd00::/8",
                                                     "fd00::1/8",
                                                     "fe80::/10",
                                                     "fe80::1%1",
                                                     "::1",
                                                     "::1/128",
                                                     "::/129",
                                                     "::ffff:10.0.0.0/104",
                                                     "::ffff:10.0.0.1/104",
                                                     "::ffff:0.0.0.0/96",
                                                     "::ffff:0.0.0.0/95",
                                                     "::ffff:10.0.0.1",
                                                     "::10.0.0.1",
                                                     "[::1]",
                                                     "example.org",
                                                     "1.2.3.4:80",
                                                     "255.255.255.255",
                                                     "256.0.0.0",
                                                     "10.0.0.128/25",
                                                     "10.0.0.128/24",
                                                     " 10.0.0.0/8",
                                                     std::string("10.0.0.1\0", 9),
                                                     std::string("10.0.0.0/8\0", 11)};
  return kNetworks;
}

TEST(Agreement, Networks) {
  for (const std::string& text : Networks())
    EXPECT_EQ(check::IsNetwork(text), net::Network4Or6::Parse(text).ok()) << '`' << text << '`';
}

TEST(Agreement, Addresses) {
  for (const std::string& text : Networks())
    EXPECT_EQ(check::IsIpAddress(text), net::Address::Parse(text, 1).ok()) << '`' << text << '`';
}

TEST(Agreement, KeySets) {
  for (const check::JwksCase& row : check::JwksCases()) {
    const auto parsed = auth::Jwks::Parse(row.text);
    EXPECT_EQ(check::CheckJwks(row.text).ok(), parsed.ok())
        << row.name << ": " << base::ToStd(parsed.status().message());
  }
}

}  // namespace
}  // namespace portico::conformance
