#include "dataplane/http/fields.h"

#include <gtest/gtest.h>

#include <string>

namespace portico::http {
namespace {

TEST(FieldId, EveryNameIsFoundAgain) {
  for (int i = 1; i <= static_cast<int>(FieldId::kXRequestId); ++i) {
    const auto id = static_cast<FieldId>(i);
    EXPECT_FALSE(FieldName(id).empty()) << i;
    EXPECT_EQ(FindFieldId(FieldName(id)), id) << FieldName(id);
  }
}

TEST(FieldId, OtherNamesAreOther) {
  for (const char* name : {"", "x", "hos", "hostx", "Host", "x-request-ic", "content-length "}) {
    EXPECT_EQ(FindFieldId(name), FieldId::kOther) << name;
  }
}

TEST(Fields, KeepsOrderAndCopies) {
  base::Arena arena;
  Fields fields(arena);
  std::string name = "x-one";
  std::string value = "1";
  fields.Add(name, value);
  fields.Add(FieldId::kHost, "a");
  name = "zzzzz";
  value = "9";
  ASSERT_EQ(fields.size(), 2u);
  EXPECT_EQ(fields.begin()[0].name, "x-one");
  EXPECT_EQ(fields.begin()[0].value, "1");
  EXPECT_EQ(fields.begin()[1].id, FieldId::kHost);
  EXPECT_EQ(fields.list_bytes(), 5u + 1 + 32 + 4 + 1 + 32);
}

TEST(Fields, GrowsAndKeepsEveryLine) {
  base::Arena arena;
  Fields fields(arena);
  for (int i = 0; i < 100; ++i)
    fields.Add("n" + std::to_string(i), std::to_string(i));
  ASSERT_EQ(fields.size(), 100u);
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(fields.Find("n" + std::to_string(i)), std::to_string(i));
}

TEST(Fields, SetRemoveCountAndCombine) {
  base::Arena arena;
  Fields fields(arena);
  fields.Add(FieldId::kVia, "a");
  fields.Add("x", "");
  fields.Add("via", "b");
  EXPECT_EQ(fields.Count(FieldId::kVia), 2u);
  EXPECT_EQ(fields.Find("via"), "a");
  EXPECT_EQ(fields.Combined("via"), "a, b");
  EXPECT_EQ(fields.Combined("x"), "");
  EXPECT_EQ(fields.Combined("y"), std::nullopt);
  fields.Set("via", "c");
  EXPECT_EQ(fields.Count(FieldId::kVia), 1u);
  EXPECT_EQ(fields.Remove("via"), 1u);
  EXPECT_EQ(fields.Remove(FieldId::kVia), 0u);
  EXPECT_EQ(fields.Remove("x"), 1u);
  EXPECT_TRUE(fields.empty());
}

TEST(Fields, CopyFromCopiesIntoTheOwnArena) {
  base::Arena arena;
  Fields fields(arena);
  fields.Add("x", "1");
  {
    base::Arena other_arena;
    Fields other(other_arena);
    other.Add("y", "2");
    other.Add(FieldId::kVia, "3");
    fields.CopyFrom(other);
  }
  EXPECT_EQ(fields.Find("y"), "2");
  EXPECT_EQ(fields.Find(FieldId::kVia), "3");
}

// Its length and its bytes are counted apart.
TEST(Fields, CombinedOfEmptyLines) {
  base::Arena arena;
  Fields fields(arena);
  for (const char* value : {"", "a", "", ""})
    fields.Add("via", value);
  EXPECT_EQ(fields.Combined("via"), ", a, , ");
}

}  // namespace
}  // namespace portico::http
