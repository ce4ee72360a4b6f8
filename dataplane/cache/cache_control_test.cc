#include "dataplane/cache/cache_control.h"

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"

namespace portico::cache {
namespace {

// What was read, in one line: "no-store max-age=60".
std::string Text(const CacheControl& control) {
  std::string text;
  const auto flag = [&](bool set, std::string_view name) {
    if (set) base::AppendTo(text, base::Concat(text.empty() ? "" : " ", name));
  };
  const auto number = [&](std::optional<std::chrono::seconds> value, std::string_view name) {
    if (value) flag(true, base::Concat(name, "=", value->count()));
  };
  if (control.malformed) return "malformed";
  if (!control.present) return "absent";
  flag(control.no_store, "no-store");
  flag(control.no_cache, "no-cache");
  flag(control.is_private, "private");
  flag(control.is_public, "public");
  flag(control.must_revalidate, "must-revalidate");
  flag(control.must_understand, "must-understand");
  flag(control.only_if_cached, "only-if-cached");
  number(control.max_age, "max-age");
  number(control.s_maxage, "s-maxage");
  number(control.min_fresh, "min-fresh");
  return text;
}

std::string Read(const std::vector<std::string>& lines) {
  base::Arena arena;
  http::Fields fields(arena);
  fields.Add("x-other", "no-store");
  for (const std::string& line : lines)
    fields.Add("cache-control", line);
  return Text(ReadCacheControl(fields));
}

TEST(CacheControlTest, EachDirective) {
  struct Row {
    std::string_view name;
    std::vector<std::string> lines;
    std::string_view read;
  };
  const Row rows[] = {
      {"no field", {}, "absent"},
      {"empty field", {""}, ""},
      {"one", {"no-store"}, "no-store"},
      {"upper case", {"No-Store, MAX-AGE=5"}, "no-store max-age=5"},
      {"several lines are one list", {"public", "max-age=60"}, "public max-age=60"},
      {"empty members", {" ,, public ,\t, max-age=1,"}, "public max-age=1"},
      {"for shared caches", {"s-maxage=0, proxy-revalidate"}, "must-revalidate s-maxage=0"},
      {"of requests", {"only-if-cached, min-fresh=3, max-stale"}, "only-if-cached min-fresh=3"},
      {"about some fields alone: about all", {"private=\"set-cookie\", no-cache=\"a, b\""}, "no-cache private"},
      {"unknown ones are skipped", {"immutable, x=1, y=\"no-store, \\\" max-age=1\", public"}, "public"},
      {"must-understand", {"must-understand, no-store"}, "no-store must-understand"},
      {"quoted number", {"max-age=\"60\""}, "max-age=60"},
      {"the same number twice", {"max-age=60, max-age=060"}, "max-age=60"},
      {"zero", {"max-age=0"}, "max-age=0"},
      {"more than 2^31", {"max-age=99999999999999999999999999"}, "max-age=2147483648"},
      {"two numbers", {"max-age=60, max-age=61"}, "malformed"},
      {"two numbers in two lines", {"max-age=60", "max-age=0"}, "malformed"},
      {"no number", {"max-age"}, "malformed"},
      {"an empty number", {"max-age="}, "malformed"},
      {"a negative number", {"max-age=-1"}, "malformed"},
      {"a fraction", {"max-age=1.5"}, "malformed"},
      {"a number in single quotes", {"max-age='60'"}, "malformed"},
      {"space before the equals sign", {"max-age =60"}, "malformed"},
      {"space after it", {"max-age= 60"}, "malformed"},
      {"no comma between", {"public max-age=60"}, "malformed"},
      {"a semicolon between", {"max-age=60;public"}, "malformed"},
      {"an open quote", {"x=\"a, max-age=60"}, "malformed"},
      {"text behind a quote", {"x=\"a\"b, public"}, "malformed"},
      {"an escaped quote at the end", {"x=\"a\\\""}, "malformed"},
      {"no name", {"=60"}, "malformed"},
      {"one bad line spoils the others", {"public", "(", "max-age=1"}, "malformed"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Read(row.lines), row.read) << row.name;
}

TEST(CacheControlTest, TheNumberOfDirectivesIsBounded) {
  std::string list = "public";
  for (size_t i = 1; i < kDirectivesMax; ++i)
    list += ",a";
  EXPECT_EQ(Read({list}), "public");
  EXPECT_EQ(Read({list + ",a"}), "malformed");
  EXPECT_EQ(Read({list, "a"}), "malformed");
}

}  // namespace
}  // namespace portico::cache
