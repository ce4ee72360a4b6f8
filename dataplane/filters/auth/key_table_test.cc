#include "dataplane/filters/auth/key_table.h"

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "dataplane/filters/auth/api_key.h"
#include "gtest/gtest.h"

namespace portico::auth {
namespace {

using Verdict = KeyTable::Verdict;
const base::WallTime kNow{std::chrono::seconds(1'700'000'000)};

Consumer Holder(std::string name, std::vector<std::pair<std::string, base::WallTime>> keys) {
  Consumer out;
  out.name = {"default", std::move(name)};
  for (const auto& [key, end] : keys)
    out.keys.push_back({crypto::Sha256(key), end});
  return out;
}

TEST(KeyTableTest, KnowsKeysByTheirDigest) {
  const base::WallTime never = base::WallTime::max();
  const std::string long_key(kKeyBytesMax, 'k');
  const KeyTable table(Consumers({Holder("a", {{"old", kNow}, {"new", never}, {"both", never}}),
                                  Holder("b", {{"of b", kNow + base::Duration(1)}, {"both", never}, {"", never}}),
                                  Holder("c", {{long_key, never}, {long_key + "k", never}})}));
  const struct {
    const char* name;
    std::string key;
    base::WallTime now;
    Verdict verdict;
    size_t consumer;
  } rows[] = {
      {"known", "new", kNow, Verdict::kKnown, 0},
      {"another's", "of b", kNow, Verdict::kKnown, 1},
      {"at its end", "of b", kNow + base::Duration(1), Verdict::kExpired, 0},
      {"just before its end", "old", kNow - base::Duration(1), Verdict::kKnown, 0},
      {"after its end", "old", kNow, Verdict::kExpired, 0},
      {"in the overlap the other is good", "new", kNow - base::Duration(1), Verdict::kKnown, 0},
      {"of two Consumers", "both", kNow, Verdict::kUnknown, 0},
      {"empty, though its digest is there", "", kNow, Verdict::kUnknown, 0},
      {"unknown", "newer", kNow, Verdict::kUnknown, 0},
      {"in another case", "NEW", kNow, Verdict::kUnknown, 0},
      {"as long as may be", long_key, kNow, Verdict::kKnown, 2},
      {"longer, though its digest is there", long_key + "k", kNow, Verdict::kUnknown, 0},
      {"a digest is no key", std::string(reinterpret_cast<const char*>(crypto::Sha256("new").data()), 32), kNow,
       Verdict::kUnknown, 0},
  };
  for (const auto& row : rows) {
    const KeyTable::Result found = table.Find(row.key, row.now);
    EXPECT_EQ(found.verdict, row.verdict) << row.name;
    EXPECT_EQ(found.consumer, row.consumer) << row.name;
  }
}

// Whoever reads a digest may make a Consumer of it elsewhere.
TEST(KeyTableTest, ThePolicysOwnNamespaceComesFirst) {
  const auto own = [](std::string name) { return Holder(std::move(name), {{"key", base::WallTime::max()}}); };
  const auto foreign = [&own](std::string name) {
    Consumer out = own(std::move(name));
    out.foreign = true;
    return out;
  };
  const struct {
    const char* name;
    std::vector<Consumer> consumers;
    Verdict verdict;
    size_t consumer;
  } rows[] = {
      {"own first", {own("a"), foreign("b")}, Verdict::kKnown, 0},
      {"foreign first", {foreign("b"), own("a")}, Verdict::kKnown, 1},
      {"two foreign ones beside it", {foreign("b"), foreign("c"), own("a")}, Verdict::kKnown, 2},
      {"two foreign ones", {foreign("b"), foreign("c")}, Verdict::kUnknown, 0},
      {"two own ones", {own("a"), own("d"), foreign("b")}, Verdict::kUnknown, 0},
      {"one that has ended", {Holder("a", {{"key", kNow}}), foreign("b")}, Verdict::kExpired, 0},
  };
  for (const auto& row : rows) {
    const KeyTable::Result found = KeyTable(Consumers(row.consumers)).Find("key", kNow);
    EXPECT_EQ(found.verdict, row.verdict) << row.name;
    EXPECT_EQ(found.consumer, row.consumer) << row.name;
  }
}

TEST(KeyTableTest, AnEmptyOneKnowsNobody) {
  EXPECT_EQ(KeyTable().Find("x", kNow).verdict, Verdict::kUnknown);
}

// The first eight bytes of a digest choose; the rest must agree as well.
TEST(KeyTableTest, TheWholeDigestCounts) {
  Consumer holder = Holder("a", {{"key", base::WallTime::max()}});
  Consumer near = holder;
  near.keys[0].digest[31] ^= 1;
  EXPECT_EQ(KeyTable(Consumers({holder})).Find("key", kNow).verdict, Verdict::kKnown);
  EXPECT_EQ(KeyTable(Consumers({near})).Find("key", kNow).verdict, Verdict::kUnknown);
  const KeyTable::Result both = KeyTable(Consumers({near, holder})).Find("key", kNow);
  EXPECT_EQ(both.verdict, Verdict::kKnown);
  EXPECT_EQ(both.consumer, 1u);
}

}  // namespace
}  // namespace portico::auth
