#include "dataplane/cache/content.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include "dataplane/shared/byte_account.h"

namespace portico::cache {
namespace {

std::shared_ptr<shared::ByteAccount> Account() {
  return std::make_shared<shared::ByteAccount>(1 << 30);
}

TEST(ContentTest, IsWhatWasAppendedHoweverItCame) {
  std::string text;
  for (int i = 0; i < 200'000; ++i)
    text.push_back(static_cast<char>('a' + i % 23));
  for (const size_t step : {1u, 7u, 4096u, 70'000u, 200'000u}) {
    for (const bool is_known : {true, false}) {
      Content content{shared::ByteHold(Account())};
      const uint64_t expected = is_known ? text.size() : 0;
      size_t counted = 0;
      for (size_t at = 0; at < text.size(); at += step) {
        const std::string_view piece = std::string_view(text).substr(at, step);
        counted += content.BytesFor(piece.size(), expected);
        content.Append(piece, expected);
      }
      std::string read;
      for (std::string_view run; !(run = content.RunAt(read.size())).empty();)
        read += run;
      EXPECT_EQ(read, text) << step;
      EXPECT_EQ(content.RunAt(123'457).front(), text[123'457]);
      EXPECT_EQ(content.RunAt(text.size()), "");
      EXPECT_GE(counted, text.size());
      EXPECT_LE(counted, is_known ? text.size() + 4096 : 2 * text.size() + 4096) << step;
    }
  }
}

TEST(ContentTest, WhatIsThereDoesNotMove) {
  Content content{shared::ByteHold(Account())};
  content.Append("first", 0);
  const std::string_view run = content.RunAt(0);
  for (int i = 0; i < 1000; ++i)
    content.Append("more of it", 0);
  EXPECT_EQ(run, "first");
  EXPECT_EQ(content.RunAt(0).data(), run.data());
}

TEST(ContentTest, TheWholeIsCountedBeforeItComes) {
  Content content{shared::ByteHold(Account())};
  const size_t whole = content.BytesFor(300'000, 300'000);
  size_t counted = 0;
  for (int i = 0; i < 30; ++i) {
    counted += content.BytesFor(10'000, 300'000);
    content.Append(std::string(10'000, 'x'), 300'000);
  }
  EXPECT_EQ(counted, whole);
}

}  // namespace
}  // namespace portico::cache
