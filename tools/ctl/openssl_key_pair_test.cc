#include "tools/ctl/openssl_key_pair.h"

#include <gtest/gtest.h>

#include "test/support/key_pair_cases.h"

namespace portico::ctl {
namespace {

TEST(OpensslKeyPair, JudgesAsTheTable) {
  test::ExpectKeyPairCases(OpensslKeyPairChecker());
}

}  // namespace
}  // namespace portico::ctl
