#include "dataplane/base/buffer.h"

#include <gtest/gtest.h>

namespace portico::base {
namespace {

std::string Letters(size_t count) {
  std::string text;
  for (size_t i = 0; i < count; ++i)
    text.push_back(static_cast<char>('a' + i % 26));
  return text;
}

TEST(BufferTest, EverySplitOfAppendAndConsumeKeepsTheBytes) {
  BlockPool pool;
  for (const size_t size : {1u, 100u, 4096u, 20000u, 40000u}) {
    const std::string text = Letters(size);
    for (const size_t step : {1u, 7u, 4096u, 16384u}) {
      if (size / step > 5000) continue;
      Buffer buffer(&pool);
      for (size_t at = 0; at < size; at += step)
        buffer.Append(std::string_view(text).substr(at, step));
      ASSERT_EQ(buffer.size(), size);
      std::string read;
      while (!buffer.empty()) {
        const size_t count = std::min(step, buffer.size());
        Buffer part(&pool);
        part.MoveFrom(buffer, count);
        ASSERT_EQ(part.size(), count);
        read += part.ToString();
      }
      ASSERT_EQ(read, text) << size << " by " << step;
    }
  }
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(BufferTest, SlicesShareABlockAndFreeItOnce) {
  BlockPool pool;
  Block* block = pool.Get();
  const std::string text = Letters(10000);
  text.copy(block->bytes(), text.size());
  Slice input = Slice::Adopt(block, text.size());
  Buffer buffer(&pool);
  buffer.Append(input.Sub(0, 5000));
  buffer.Append(input.Sub(5000, 5000));
  input = Slice();
  EXPECT_EQ(pool.blocks_in_use(), 1u);
  EXPECT_EQ(buffer.ToString(), text);
  buffer.Consume(9999);
  EXPECT_EQ(buffer.ToString(), text.substr(9999));
  buffer.Consume(1);
  EXPECT_EQ(pool.blocks_in_use(), 0u);
}

TEST(BufferTest, AppendNeverWritesIntoASharedBlock) {
  BlockPool pool;
  Buffer buffer(&pool);
  buffer.Append("head");
  Buffer other(&pool);
  other.MoveFrom(buffer, 2);
  Slice shared = other.PopFront();
  buffer.Append("tail");
  EXPECT_EQ(shared.view(), "he");
  EXPECT_EQ(buffer.ToString(), "adtail");
}

TEST(BufferTest, GatherSkipsNothingAndStopsAtTheMost) {
  Buffer buffer;
  buffer.Append(Slice::Static("one"));
  buffer.Append(Slice::Static("two"));
  buffer.Append(Slice::Static("three"));
  struct iovec vectors[2];
  ASSERT_EQ(buffer.Gather(vectors, 2), 2);
  EXPECT_EQ(std::string_view(static_cast<char*>(vectors[1].iov_base), vectors[1].iov_len), "two");
  buffer.Consume(4);
  ASSERT_EQ(buffer.Gather(vectors, 2), 2);
  EXPECT_EQ(std::string_view(static_cast<char*>(vectors[0].iov_base), vectors[0].iov_len), "wo");
}

TEST(BufferTest, AByteThatIsKeptHoldsNoBlock) {
  BlockPool pool;
  Slice input = Slice::Adopt(pool.Get(), 4096);
  Slice one = input.Keep(input.view().substr(7, 1));
  Slice many = input.Keep(input.view().substr(0, 2048));
  EXPECT_EQ(many.view().data(), input.view().data());
  input = Slice();
  many = Slice();
  EXPECT_EQ(pool.blocks_in_use(), 0u);
  EXPECT_EQ(one.size(), 1u);
}

TEST(BufferTest, BlocksAreReused) {
  BlockPool pool;
  Block* first = pool.Get();
  Slice::Adopt(first, 0);
  EXPECT_EQ(pool.Get(), first);
  Slice::Adopt(first, 0);
}

TEST(BufferTest, BorrowedBytesLiveWithTheirOwner) {
  auto owner = std::make_shared<const std::string>("borrowed bytes");
  BlockPool pool;
  for (BlockPool* of : {static_cast<BlockPool*>(nullptr), &pool}) {
    Buffer buffer(of);
    buffer.Append("first ");
    buffer.Append(Slice::Borrow(owner, std::string_view(*owner).substr(9)));
    Slice whole = Slice::Borrow(owner, *owner);
    const Slice part = whole.Sub(0, 8);
    EXPECT_EQ(part.view().data(), owner->data()) << "not a copy";
    whole = Slice();
    EXPECT_GT(owner.use_count(), 1);
    buffer.Append(" own");  // never into the owner's memory
    EXPECT_EQ(buffer.ToString(), "first bytes own");
    EXPECT_EQ(*owner, "borrowed bytes");
  }
  EXPECT_EQ(owner.use_count(), 1);
}

}  // namespace
}  // namespace portico::base
