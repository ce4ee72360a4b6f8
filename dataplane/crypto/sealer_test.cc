#include "dataplane/crypto/sealer.h"

#include <gtest/gtest.h>

#include <string>

#include "absl/status/status.h"

namespace portico::crypto {
namespace {

constexpr Sealer::Key kKey{1, 2, 3};
constexpr Sealer::Key kOther{1, 2, 4};

TEST(SealerTest, WhatIsSealedIsOpenedUnderItsName) {
  const Sealer sealer(kKey);
  for (const std::string& text : {std::string(), std::string("a"), std::string(100'000, 'x'), std::string("\0\1", 2)}) {
    const std::string sealed = sealer.Seal("name", text);
    EXPECT_EQ(sealed.size(), text.size() + 28);
    const absl::StatusOr<std::string> opened = sealer.Open("name", sealed);
    ASSERT_TRUE(opened.ok()) << opened.status();
    EXPECT_EQ(*opened, text);
    EXPECT_EQ(sealer.Open("other", sealed).status().code(), absl::StatusCode::kDataLoss);
    EXPECT_EQ(Sealer(kOther).Open("name", sealed).status().code(), absl::StatusCode::kDataLoss);
  }
}

TEST(SealerTest, EveryBitCounts) {
  const Sealer sealer(kKey);
  const std::string sealed = sealer.Seal("name", "secret");
  for (size_t i = 0; i < 8 * sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ 1 << i % 8);
    EXPECT_FALSE(sealer.Open("name", changed).ok()) << i;
  }
  for (size_t size = 0; size < sealed.size(); ++size)
    EXPECT_EQ(sealer.Open("name", sealed.substr(0, size)).status().code(), absl::StatusCode::kDataLoss) << size;
}

TEST(SealerTest, TheSameIsNeverSealedTheSame) {
  EXPECT_NE(Sealer(kKey).Seal("name", "secret"), Sealer(kKey).Seal("name", "secret"));
}

TEST(SealerTest, KeysAreTold) {
  EXPECT_EQ(Sealer(kKey).key_id(), Sealer(kKey).key_id());
  EXPECT_NE(Sealer(kKey).key_id(), Sealer(kOther).key_id());
  EXPECT_EQ(Sealer(kKey).key_id().size(), 16u);
}

}  // namespace
}  // namespace portico::crypto
