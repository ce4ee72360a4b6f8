#include "dataplane/observe/resident_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>

namespace portico::observe {
namespace {

TEST(ResidentMemoryTest, GrowsWithWhatIsTouched) {
  constexpr size_t kBytes = 64 << 20;
  const int64_t before = ResidentBytes();
  EXPECT_GT(before, 0);
  const std::unique_ptr<char[]> memory(new char[kBytes]);
  std::memset(memory.get(), 1, kBytes);
  EXPECT_GT(ResidentBytes(), before + static_cast<int64_t>(kBytes / 2));
  EXPECT_EQ(memory[kBytes - 1], 1);
}

}  // namespace
}  // namespace portico::observe
