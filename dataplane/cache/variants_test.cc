#include "dataplane/cache/variants.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"

namespace portico::cache {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

http::Fields FieldsOf(base::Arena& arena, const Lines& lines) {
  http::Fields fields(arena);
  for (const auto& [name, value] : lines)
    fields.Add(name, value);
  return fields;
}

TEST(VariantsTest, AResponseIsForWhoeverAsksAlike) {
  struct Row {
    std::string_view name;
    Lines vary;
    Lines asked;
    Lines asks;
    bool selects;
  };
  const Lines gzip = {{"accept-encoding", "gzip"}}, brotli = {{"accept-encoding", "br"}};
  const Lines by_encoding = {{"vary", "Accept-Encoding"}};
  const Row rows[] = {
      {"no vary", {}, gzip, brotli, true},
      {"an empty vary", {{"vary", ""}}, gzip, brotli, true},
      {"the same", by_encoding, gzip, gzip, true},
      {"another", by_encoding, gzip, brotli, false},
      {"none where there was one", by_encoding, gzip, {}, false},
      {"one where there was none", by_encoding, {}, gzip, false},
      {"none both times", by_encoding, {}, {}, true},
      {"empty is not none", by_encoding, {{"accept-encoding", ""}}, {}, false},
      {"case of a value counts", {{"vary", "x"}}, {{"x", "a"}}, {{"x", "A"}}, false},
      {"two lines are one list", {{"vary", "x"}}, {{"x", "a, b"}}, {{"x", "a"}, {"x", "b"}}, true},
      {"their order counts", {{"vary", "x"}}, {{"x", "a"}, {"x", "b"}}, {{"x", "b"}, {"x", "a"}}, false},
      {"every name counts", {{"vary", "x, y"}}, {{"x", "1"}, {"y", "1"}}, {{"x", "1"}, {"y", "2"}}, false},
      {"of every line", {{"vary", "x"}, {"vary", "y"}}, {{"x", "1"}, {"y", "1"}}, {{"x", "1"}, {"y", "2"}}, false},
      {"others do not", {{"vary", "x"}}, {{"x", "1"}, {"y", "1"}}, {{"x", "1"}, {"y", "2"}}, true},
  };
  for (const Row& row : rows) {
    base::Arena arena;
    const auto selecting = SelectingFieldsOf(FieldsOf(arena, row.vary), FieldsOf(arena, row.asked));
    ASSERT_TRUE(selecting.has_value()) << row.name;
    EXPECT_EQ(Selects(*selecting, FieldsOf(arena, row.asks)), row.selects) << row.name;
  }
}

TEST(VariantsTest, SomeAreForNobodyElse) {
  std::string many = "a0";
  for (size_t i = 1; i <= kSelectingFieldsMax; ++i)
    many += ",a" + std::to_string(i);
  const std::pair<std::string_view, std::string> rows[] = {
      {"a star", "*"}, {"a star among names", "x, *"}, {"no list of names", "x y"}, {"too many", many}};
  base::Arena arena;
  for (const auto& [name, vary] : rows)
    EXPECT_FALSE(SelectingFieldsOf(FieldsOf(arena, {{"vary", vary}}), FieldsOf(arena, {}))) << name;
  const Lines vary = {{"vary", "cookie"}};
  EXPECT_TRUE(
      SelectingFieldsOf(FieldsOf(arena, vary), FieldsOf(arena, {{"cookie", std::string(kSelectingBytesMax, 'c')}})));
  EXPECT_FALSE(SelectingFieldsOf(FieldsOf(arena, vary),
                                 FieldsOf(arena, {{"cookie", std::string(kSelectingBytesMax + 1, 'c')}})));
}

TEST(VariantsTest, NamesAreInOneOrderWhateverTheirs) {
  base::Arena arena;
  const http::Fields request = FieldsOf(arena, {{"a", "1"}, {"b", "2"}});
  EXPECT_EQ(SelectingFieldsOf(FieldsOf(arena, {{"vary", "b, A, b"}}), request),
            SelectingFieldsOf(FieldsOf(arena, {{"vary", "a"}, {"vary", "b"}}), request));
}

}  // namespace
}  // namespace portico::cache
