// Long: the contract in one place, one test for each promise.
#ifndef PORTICO_CONTROLPLANE_STORE_STORE_CONTRACT_H_
#define PORTICO_CONTROLPLANE_STORE_STORE_CONTRACT_H_

#include <chrono>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "controlplane/store/store.h"
#include "gtest/gtest.h"

// What every store promises. A store's test says:
//   INSTANTIATE_TEST_SUITE_P(Memory, StoreContract, testing::Values([] { return memory::Open(); }));
namespace portico::store {

using MakeStore = std::function<std::unique_ptr<Store>()>;

class StoreContract : public testing::TestWithParam<MakeStore> {
 protected:
  // "a=1" writes, "a" takes away, as one revision on the head.
  absl::StatusOr<uint64_t> Commit(const std::vector<std::string>& writes, const std::string& record = "") {
    std::vector<Write> all;
    for (const std::string& write : writes) {
      const size_t sign = write.find('=');
      if (sign == std::string::npos) {
        all.push_back({write, std::nullopt});
      } else {
        all.push_back({write.substr(0, sign), write.substr(sign + 1)});
      }
    }
    return store_->Commit(store_->head().revision, all, record);
  }

  // "a=1@2/1 b=2@2/2": value, the revision it is of, the one that made the key. Or the error's words.
  std::string Read(uint64_t revision) const {
    std::string text;
    const absl::Status status = store_->Read(revision, [&text](const Entry& entry) {
      text +=
          base::Concat(text.empty() ? "" : " ", entry.key, "=", entry.value, "@", entry.revision, "/", entry.created);
      return true;
    });
    return status.ok() ? text : std::string(status.message());
  }

  std::string Find(const std::string& key, uint64_t revision) const {
    const absl::StatusOr<std::optional<Entry>> found = store_->Find(key, revision);
    if (!found.ok()) return std::string(found.status().message());
    return found->has_value() ? base::Concat((*found)->value, "@", (*found)->revision, "/", (*found)->created) : "none";
  }

  std::string History(uint64_t before, size_t limit) const {
    std::string text;
    const absl::StatusOr<std::vector<Record>> records = store_->History(before, limit);
    for (const Record& record : *records) {
      text += base::Concat(text.empty() ? "" : " ", record.revision, ":", record.bytes);
    }
    return text;
  }

  std::unique_ptr<Store> store_ = GetParam()();
};

TEST_P(StoreContract, AFreshStoreIsEmptyAndHasAnEpoch) {
  EXPECT_EQ(store_->head().revision, 0u);
  EXPECT_EQ(store_->head().epoch.size(), 16u);
  EXPECT_NE(store_->head().epoch, GetParam()()->head().epoch);
  EXPECT_EQ(Read(0), "");
  EXPECT_EQ(Find("a", 0), "none");
  EXPECT_EQ(History(0, 10), "");
}

TEST_P(StoreContract, EachRevisionStaysReadable) {
  EXPECT_EQ(*Commit({"a=1", "b=1"}), 1u);
  EXPECT_EQ(*Commit({"a=2", "c=1"}), 2u);
  EXPECT_EQ(*Commit({"b"}), 3u);
  EXPECT_EQ(*Commit({"b=9"}), 4u);
  EXPECT_EQ(*Commit({}), 5u);
  const std::vector<std::string> expected = {"",
                                             "a=1@1/1 b=1@1/1",
                                             "a=2@2/1 b=1@1/1 c=1@2/2",
                                             "a=2@2/1 c=1@2/2",
                                             "a=2@2/1 b=9@4/4 c=1@2/2",
                                             "a=2@2/1 b=9@4/4 c=1@2/2"};
  for (uint64_t revision = 0; revision < expected.size(); ++revision)
    EXPECT_EQ(Read(revision), expected[revision]);
  EXPECT_EQ(Find("b", 1), "1@1/1");
  EXPECT_EQ(Find("b", 3), "none");
  EXPECT_EQ(Find("b", 5), "9@4/4");
  EXPECT_EQ(Read(6), "there is no revision 6 yet; the newest is 5");
}

TEST_P(StoreContract, KeysAndValuesAreBytes) {
  const std::string key("k\0\xff/=", 5), value("\0\n\x80", 3);
  ASSERT_TRUE(store_->Commit(0, {{key, value}, {"empty", ""}}, std::string("\0r", 2)).ok());
  EXPECT_EQ((*store_->Find(key, 1))->value, value);
  EXPECT_EQ((*store_->Find("empty", 1))->value, "");
  EXPECT_EQ((*store_->History(0, 1))[0].bytes, std::string("\0r", 2));
}

TEST_P(StoreContract, AReaderMayStop) {
  ASSERT_TRUE(Commit({"a=1", "b=1", "c=1"}).ok());
  int seen = 0;
  ASSERT_TRUE(store_->Read(1, [&seen](const Entry&) { return ++seen < 2; }).ok());
  EXPECT_EQ(seen, 2);
}

TEST_P(StoreContract, AReaderSeesOneMomentAndHoldsUpNobody) {
  ASSERT_TRUE(Commit({"a=1", "b=1", "c=1"}).ok());
  std::string seen;
  std::future<bool> written;
  const absl::Status status = store_->Read(1, [&](const Entry& entry) {
    seen += base::Concat(entry.key, "=", entry.value, " ");
    if (seen != "a=1 ") return true;
    written = std::async(std::launch::async,
                         [this] { return Commit({"a=2", "b"}).ok() && Commit({"c"}).ok() && store_->Forget(3).ok(); });
    EXPECT_EQ(written.wait_for(std::chrono::seconds(20)), std::future_status::ready) << "it waits for the reader";
    return true;
  });
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_TRUE(written.get());
  EXPECT_EQ(seen, "a=1 b=1 c=1 ");
  EXPECT_EQ(Read(1), "revision 1 is not kept any more; the oldest is 3");
  EXPECT_EQ(Read(3), "a=2@2/1");
}

TEST_P(StoreContract, FactsStandBesideRevisions) {
  EXPECT_EQ(*store_->Fact("key"), std::nullopt);
  EXPECT_EQ(*store_->Fact("epoch"), std::nullopt);
  for (const std::string& value : {std::string("1"), std::string("\0\xff", 2), std::string()}) {
    ASSERT_TRUE(store_->SetFact("key", value).ok());
    EXPECT_EQ(*store_->Fact("key"), value);
  }
  const std::string epoch = store_->head().epoch;
  ASSERT_TRUE(store_->SetFact("epoch", "mine").ok());
  EXPECT_EQ(store_->head().epoch, epoch);
  EXPECT_EQ(store_->head().revision, 0u);
  ASSERT_TRUE(Commit({"a=1"}).ok());
  EXPECT_EQ(*store_->Fact("epoch"), "mine");
  EXPECT_EQ(Read(1), "a=1@1/1");
}

TEST_P(StoreContract, WhoIsLateIsToldAndChangesNothing) {
  ASSERT_TRUE(Commit({"a=1"}).ok());
  for (const uint64_t expected : {0u, 2u}) {
    const absl::StatusOr<uint64_t> late = store_->Commit(expected, {{"a", "2"}}, "");
    EXPECT_EQ(late.status().code(), absl::StatusCode::kAborted);
  }
  EXPECT_EQ(Read(1), "a=1@1/1");
  EXPECT_EQ(store_->head().revision, 1u);
}

TEST_P(StoreContract, OneBadWriteStopsAll) {
  ASSERT_TRUE(Commit({"a=1"}).ok());
  const struct {
    std::vector<std::string> writes;
    const char* words;
  } rows[] = {{{"b=1", "c"}, "c is not there and cannot go"},
              {{"b=1", "b=2"}, "b is written twice in one revision"},
              {{"a", "a"}, "a is written twice in one revision"},
              {{"b=1", "=1"}, "a key has no bytes"}};
  for (const auto& row : rows) {
    const absl::StatusOr<uint64_t> result = Commit(row.writes);
    EXPECT_EQ(result.status().code(), absl::StatusCode::kInvalidArgument);
    EXPECT_EQ(result.status().message(), row.words);
  }
  EXPECT_EQ(store_->head().revision, 1u);
  EXPECT_EQ(Read(1), "a=1@1/1");
  EXPECT_EQ(History(0, 9), "1:");
}

TEST_P(StoreContract, HistoryIsNewestFirstAndInPages) {
  for (int i = 1; i <= 5; ++i)
    ASSERT_TRUE(Commit({base::Concat("a=", i)}, base::Concat("r", i)).ok());
  EXPECT_EQ(History(0, 2), "5:r5 4:r4");
  EXPECT_EQ(History(4, 2), "3:r3 2:r2");
  EXPECT_EQ(History(2, 9), "1:r1");
  EXPECT_EQ(History(1, 9), "");
  EXPECT_EQ(History(0, 0), "");
}

TEST_P(StoreContract, WhatIsForgottenIsGoneAndTheRestIsWhole) {
  for (const std::vector<std::string>& writes :
       std::vector<std::vector<std::string>>{{"a=1", "b=1", "old=1"}, {"a=2"}, {"old"}, {"b=4", "gone=1"}, {"gone"}}) {
    ASSERT_TRUE(Commit(writes, "r").ok());
  }
  const std::string third = Read(3), fourth = Read(4), fifth = Read(5);
  ASSERT_TRUE(store_->Forget(3).ok());
  EXPECT_EQ(store_->head().oldest, 3u);
  EXPECT_EQ(Read(2), "revision 2 is not kept any more; the oldest is 3");
  EXPECT_EQ(Read(0), "revision 0 is not kept any more; the oldest is 3");
  EXPECT_EQ(Read(3), third);
  EXPECT_EQ(Read(4), fourth);
  EXPECT_EQ(Read(5), fifth);
  EXPECT_EQ(History(0, 9), "5:r 4:r 3:r");
  ASSERT_TRUE(store_->Forget(2).ok());   // nothing left to do
  ASSERT_TRUE(store_->Forget(99).ok());  // never the head
  EXPECT_EQ(store_->head().oldest, 5u);
  EXPECT_EQ(Read(5), fifth);
  EXPECT_EQ(*Commit({"a=6"}), 6u);
  EXPECT_EQ(Find("a", 6), "6@6/1");
}

}  // namespace portico::store

#endif  // PORTICO_CONTROLPLANE_STORE_STORE_CONTRACT_H_
