#include "dataplane/xds/received_set.h"

#include <memory>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "api/base/text.h"
#include "api/wire/names.h"
#include "dataplane/crypto/digest.h"
#include "gtest/gtest.h"

namespace portico::xds {
namespace {

using base::Concat;

check::ResourceKey Key(const std::string& kind, const std::string& name) {
  return {kind, "default", name};
}

std::shared_ptr<const Received> Item(std::string version, size_t bytes = 1) {
  auto received = std::make_shared<Received>();
  received->version = std::move(version);
  received->bytes = bytes;
  return received;
}

std::string DigestOf(const std::vector<std::pair<check::ResourceKey, std::string>>& elements) {
  wire::SetDigest digest;
  for (const auto& [key, version] : elements) {
    const auto hash = crypto::Sha256(wire::DigestInput(wire::TypeUrl(key.kind), wire::ResourceName(key), version));
    digest.Add({reinterpret_cast<const char*>(hash.data()), hash.size()});
  }
  return digest.ToString();
}

TEST(ReceivedSetTest, TheDigestsAreOfWhatIsThere) {
  ReceivedSet set(crypto::Sha256);
  EXPECT_EQ(set.digest(), DigestOf({}));
  for (const auto& [kind, name, version] :
       {std::tuple{"Route", "a", "e.1"}, {"Route", "b", "e.1"}, {"Cluster", "a", "e.1"}, {"Route", "a", "e.2"}}) {
    ASSERT_TRUE(set.Put(Key(kind, name), Item(version)).ok());
  }
  set.Remove(Key("Route", "b"));
  set.Remove(Key("Route", "never there"));
  EXPECT_EQ(set.OfKind("Route").count, 1u);
  EXPECT_EQ(set.OfKind("Route").digest.ToString(), DigestOf({{Key("Route", "a"), "e.2"}}));
  EXPECT_EQ(set.digest(), DigestOf({{Key("Route", "a"), "e.2"}, {Key("Cluster", "a"), "e.1"}}));
  set.Clear("Route");
  set.Clear("Secret");
  EXPECT_EQ(set.OfKind("Route").count, 0u);
  EXPECT_EQ(set.digest(), DigestOf({{Key("Cluster", "a"), "e.1"}}));
  EXPECT_EQ(set.resources().size(), 1u);
}

TEST(ReceivedSetTest, WhatCouldNotBeReadIsKnown) {
  ReceivedSet set(crypto::Sha256);
  const auto read = [](std::string version) {
    auto received = std::make_shared<Received>(*Item(std::move(version)));
    received->resource = std::make_shared<const portico::v1::Resource>();
    return received;
  };
  using Keys = std::set<check::ResourceKey>;
  ASSERT_TRUE(set.Put(Key("Route", "a"), read("e.1")).ok());
  ASSERT_TRUE(set.Put(Key("Route", "b"), Item("e.1")).ok());
  ASSERT_TRUE(set.Put(Key("Secret", "b"), Item("e.1")).ok());
  EXPECT_EQ(set.refused(), (Keys{Key("Route", "b"), Key("Secret", "b")}));
  ASSERT_TRUE(set.Put(Key("Route", "a"), Item("e.2")).ok());
  ASSERT_TRUE(set.Put(Key("Route", "b"), read("e.2")).ok());
  EXPECT_EQ(set.refused(), (Keys{Key("Route", "a"), Key("Secret", "b")}));
  set.Remove(Key("Route", "a"));
  EXPECT_EQ(set.refused(), (Keys{Key("Secret", "b")}));
  set.Clear("Secret");
  EXPECT_EQ(set.refused(), Keys());
}

TEST(ReceivedSetTest, Limits) {
  ReceivedSet set(crypto::Sha256, {.resources_max = 3, .bytes_max = 10});
  ASSERT_TRUE(set.Put(Key("Route", "a"), Item("e.1", 10)).ok());
  EXPECT_EQ(set.Put(Key("Route", "b"), Item("e.1", 1)).message(), "resources of more than 10 bytes");
  EXPECT_EQ(set.resources().size(), 1u);
  ASSERT_TRUE(set.Put(Key("Route", "a"), Item("e.2", 1)).ok()) << "in its place";
  ASSERT_TRUE(set.Put(Key("Route", "b"), Item("e.1", 9)).ok());
  ASSERT_TRUE(set.Put(Key("Route", "c"), Item("e.1", 0)).ok());
  const std::string digest = set.digest();
  EXPECT_EQ(set.Put(Key("Route", "d"), Item("e.1", 0)).message(), "more than 3 resources");
  EXPECT_EQ(set.digest(), digest);
  ASSERT_TRUE(set.Put(Key("Route", "b"), Item("e.2", 9)).ok()) << "in its place";
  set.Remove(Key("Route", "c"));
  EXPECT_TRUE(set.Put(Key("Route", "d"), Item("e.1", 0)).ok());
}

}  // namespace
}  // namespace portico::xds
