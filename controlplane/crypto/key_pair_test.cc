#include "controlplane/crypto/key_pair.h"

#include <gtest/gtest.h>

#include "test/support/key_pair_cases.h"

namespace portico::openssl {
namespace {

TEST(OpensslKeyPair, JudgesAsTheTable) {
  test::ExpectKeyPairCases(KeyPairChecker());
}

}  // namespace
}  // namespace portico::openssl
