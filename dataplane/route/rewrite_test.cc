#include "dataplane/route/rewrite.h"

#include <optional>

#include "api/base/arena.h"
#include "gtest/gtest.h"

namespace portico::route {
namespace {

TEST(RewritePath, Prefix) {
  const struct {
    const char* path;
    size_t prefix_bytes;
    const char* value;
    const char* result;
  } kRows[] = {
      // The table of Gateway API's HTTPPathModifier.
      {"/foo/bar", 4, "/xyz", "/xyz/bar"},
      {"/foo/bar", 4, "/xyz/", "/xyz/bar"},
      {"/foo", 4, "/xyz", "/xyz"},
      {"/foo/", 4, "/xyz", "/xyz/"},
      {"/foo/bar", 4, "", "/bar"},
      {"/foo/", 4, "", "/"},
      {"/foo", 4, "", "/"},
      {"/foo/", 4, "/", "/"},
      {"/foo", 4, "/", "/"},
      // The prefix "/".
      {"/a/b", 0, "/v1", "/v1/a/b"},
      {"/", 0, "/v1", "/v1/"},
      {"/", 0, "/", "/"},
      {"/foo/a%20b", 4, "/xyz", "/xyz/a%20b"},
  };
  for (const auto& row : kRows) {
    EXPECT_EQ(RewritePath({PathRewrite::Kind::kPrefix, row.value}, row.path, row.prefix_bytes), row.result)
        << row.path << " " << row.value;
  }
}

TEST(RewritePath, Full) {
  EXPECT_EQ(RewritePath({PathRewrite::Kind::kFull, "/whole"}, "/a/b", 2), "/whole");
  EXPECT_EQ(RewritePath({PathRewrite::Kind::kFull, ""}, "/a/b", 2), "/");
}

TEST(Location, Table) {
  const std::optional<PathRewrite> full = PathRewrite{PathRewrite::Kind::kFull, "/new"};
  const std::optional<PathRewrite> prefix = PathRewrite{PathRewrite::Kind::kPrefix, "/there"};
  const struct {
    const char* name;
    Redirect redirect;
    const char* scheme;
    const char* authority;
    uint16_t listener_port;
    const char* target;
    const char* location;
  } kRows[] = {
      {"scheme alone: its port",
       {"https", "", {}, {}, 302},
       "http",
       "a.example:8080",
       8080,
       "/p/x",
       "https://a.example/p/x"},
      {"scheme and port", {"https", "", {}, 8443, 302}, "http", "a.example", 80, "/p", "https://a.example:8443/p"},
      {"nothing: the listener's port",
       {"", "b.example", {}, {}, 302},
       "http",
       "a.example",
       8080,
       "/p",
       "http://b.example:8080/p"},
      {"the listener's port is the scheme's",
       {"", "b.example", {}, {}, 302},
       "https",
       "a.example",
       443,
       "/p",
       "https://b.example/p"},
      {"port is the scheme's", {"http", "", {}, 80, 302}, "https", "a.example", 443, "/p", "http://a.example/p"},
      {"port of another scheme", {"http", "", {}, 443, 302}, "http", "a.example", 80, "/p", "http://a.example:443/p"},
      {"query stays", {"https", "", {}, {}, 302}, "http", "a.example", 80, "/p?a=b&c", "https://a.example/p?a=b&c"},
      {"empty query stays", {"https", "", {}, {}, 302}, "http", "a.example", 80, "/p?", "https://a.example/p?"},
      {"full path", {"https", "", full, {}, 302}, "http", "a.example", 80, "/p/x?q", "https://a.example/new?q"},
      {"prefix", {"https", "", prefix, {}, 302}, "http", "a.example", 80, "/p/x", "https://a.example/there/x"},
      {"IPv6", {"https", "", {}, 8443, 302}, "http", "[::1]:80", 80, "/p", "https://[::1]:8443/p"},
      {"no authority", {"", "", full, {}, 302}, "http", "", 80, "/p", "/new"},
      {"no authority but a host", {"", "b.example", {}, {}, 302}, "http", "", 80, "/p", "http://b.example/p"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_EQ(Location(row.redirect, {row.scheme, row.authority, SplitTarget(row.target), 2, row.listener_port}),
              row.location);
  }
}

TEST(FieldEdits, SetAddRemove) {
  base::Arena arena;
  http::Fields fields(arena);
  fields.Add("x-set", "old");
  fields.Add("x-set", "older");
  fields.Add("x-add", "some");
  fields.Add("x-remove", "1");
  const FieldEdits edits{{{"x-set", "new"}, {"x-new", "n"}}, {{"x-add", "more"}}, {"x-remove", "x-missing"}};
  EXPECT_FALSE(edits.empty());
  edits.Apply(fields);
  EXPECT_EQ(fields.Combined("x-set"), "new");
  EXPECT_EQ(fields.Combined("x-new"), "n");
  EXPECT_EQ(fields.Combined("x-add"), "some, more");
  EXPECT_FALSE(fields.Find("x-remove").has_value());
}

TEST(PickBackend, ByWeight) {
  Rule rule;
  EXPECT_EQ(PickBackend(rule, 7), nullptr);
  for (const uint32_t weight : {0, 9, 0, 1}) {
    Backend backend;
    backend.weight = weight;
    backend.name = std::to_string(weight);
    rule.backends.push_back(backend);
    rule.weight_sum += weight;
  }
  int ones = 0;
  for (uint64_t random = 0; random < 100; ++random) {
    const Backend* backend = PickBackend(rule, random);
    ASSERT_NE(backend, nullptr);
    EXPECT_NE(backend->weight, 0);
    if (backend->weight == 1) ++ones;
  }
  EXPECT_EQ(ones, 10);
  EXPECT_NE(PickBackend(rule, ~uint64_t{0}), nullptr);
}

TEST(PickBackend, AllZero) {
  Rule rule;
  rule.backends.resize(2);
  for (Backend& backend : rule.backends)
    backend.weight = 0;
  EXPECT_EQ(PickBackend(rule, 1), nullptr);
}

}  // namespace
}  // namespace portico::route
