#include <gtest/gtest.h>

#include "api/base/arena.h"
#include "api/base/text.h"

namespace portico::base {
namespace {

TEST(TextTest, Concat) {
  EXPECT_EQ(Concat("port ", 80, " of ", std::string("a"), '.'), "port 80 of a.");
}

TEST(TextTest, Printable) {
  EXPECT_EQ(Printable("edge-1 Zoë €"), "edge-1 Zoë €");
  EXPECT_EQ(Printable("a\x1b[2Jb\nc\x7f"), "a?[2Jb?c?");
  EXPECT_EQ(Printable("\xc2\x9b"
                      "2J \xc2\xa0"),
            "?2J \xc2\xa0");
  EXPECT_EQ(Printable(""), "");
}

TEST(TextTest, ParseDecimal) {
  struct Row {
    std::string_view text;
    std::optional<uint64_t> number;
  };
  const Row rows[] = {{"0", 0},
                      {"18446744073709551615", UINT64_MAX},
                      {"18446744073709551616", std::nullopt},
                      {"", std::nullopt},
                      {"+1", std::nullopt},
                      {"-1", std::nullopt},
                      {" 1", std::nullopt},
                      {"1 ", std::nullopt},
                      {"0x1", std::nullopt}};
  for (const Row& row : rows)
    EXPECT_EQ(ParseDecimal(row.text), row.number) << row.text;
}

TEST(TextTest, NearestName) {
  const std::vector<std::string_view> names = {"port", "protocol", "hostname"};
  struct Row {
    std::string_view word, nearest;
  };
  const Row rows[] = {
      {"prot", "port"}, {"hostnames", "hostname"}, {"PORT", "port"}, {"protcol", "protocol"}, {"zzz", ""}, {"", ""},
      {"p", ""}};
  for (const Row& row : rows)
    EXPECT_EQ(NearestName(row.word, names), row.nearest) << row.word;
}

TEST(ArenaTest, PiecesStayAndAreAligned) {
  Arena arena(64);
  const std::string_view text = arena.Copy("text");
  for (int i = 0; i < 100; ++i) {
    const auto* number = arena.New<uint64_t>(7u);
    EXPECT_EQ(reinterpret_cast<size_t>(number) % alignof(uint64_t), 0u);
    arena.Copy("x");
  }
  EXPECT_EQ(text, "text");
  EXPECT_GE(arena.bytes(), 900u);
  arena.Reset();
  EXPECT_EQ(arena.bytes(), 64u);
}

}  // namespace
}  // namespace portico::base
