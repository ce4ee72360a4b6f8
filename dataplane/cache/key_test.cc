#include "dataplane/cache/key.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "dataplane/route/path.h"

namespace portico::cache {
namespace {

TargetUri UriOf(std::string_view scheme, std::string_view authority, std::string_view target) {
  const route::Target split = route::SplitTarget(target);
  return {scheme, authority, split.path, split.query, split.has_query};
}

TEST(KeyTest, IsTheTargetUri) {
  EXPECT_EQ(KeyOf(UriOf("http", "shop.example", "/a?b=c")), "http://shop.example/a?b=c");
  EXPECT_EQ(KeyOf(UriOf("http", "shop.example", "/a?")), "http://shop.example/a?") << "not /a";
  EXPECT_EQ(KeyOf(UriOf("http", "shop.example:80", "/")), "http://shop.example/");
  EXPECT_EQ(KeyOf(UriOf("https", "shop.example:443", "/")), "https://shop.example/");
  EXPECT_EQ(KeyOf(UriOf("http", "shop.example:443", "/")), "http://shop.example:443/");
  EXPECT_EQ(KeyOf(UriOf("https", "shop.example:8443", "/")), "https://shop.example:8443/");
  EXPECT_EQ(KeyOf(UriOf("http", "[::1]:80", "/")), "http://[::1]/");
}

// RFC 9111 section 4.4, RFC 3986 section 5.
TEST(KeyTest, WhatAnUnsafeRequestMakesInvalidBesides) {
  const std::pair<std::string, std::string> rows[] = {
      {"/x", "http://shop.example/x"},
      {"/x?y=1#z", "http://shop.example/x?y=1"},
      {"/%61//b", "http://shop.example/a/b"},
      {"x", "http://shop.example/a/x"},
      {"x:y/z", ""},  // a scheme
      {"./x:y", ""},
      {"?q", "http://shop.example/a/b?q"},
      {"", "http://shop.example/a/b?c"},
      {"http://shop.example/x", "http://shop.example/x"},
      {"HTTP://Shop.Example:80/x", "http://shop.example/x"},
      {"http://shop.example", "http://shop.example/"},
      {"http://shop.example?q", "http://shop.example/?q"},
      {"//shop.example/x", "http://shop.example/x"},
      {"//other.example/x", ""},
      {"http://other.example/x", ""},
      {"http://shop.example.other/x", ""},
      {"http://shop.example:81/x", ""},
      {"https://shop.example/x", "http://shop.example/x"},  // TLS was unwrapped before us
      {"https://shop.example:443/x", "http://shop.example/x"},
      {"https://shop.example:80/x", ""},
      {"ftp://shop.example/x", ""},
      {"http:x", ""},
      {"../x", ""},
      {"/a/../x", ""},
      {"/%zz", ""},
  };
  for (const auto& [reference, key] : rows) {
    for (const std::string_view name : {"location", "content-location"}) {
      base::Arena arena;
      http::Fields fields(arena);
      fields.Add(name, reference);
      const std::vector<std::string> keys = OtherKeys(UriOf("http", "shop.example", "/a/b?c"), fields);
      EXPECT_EQ(keys, key.empty() ? std::vector<std::string>() : std::vector<std::string>{key})
          << name << " " << reference;
    }
  }
  base::Arena arena;
  EXPECT_TRUE(OtherKeys(UriOf("http", "shop.example", "/"), http::Fields(arena)).empty());
}

TEST(KeyTest, WhatAPurgeCovers) {
  struct Row {
    PurgeScope scope;
    std::string_view key;
    bool covers;
  };
  const Row rows[] = {
      {{"", "/"}, "http://shop.example/a", true},
      {{"", "/"}, "https://shop.example:8443/", true},
      {{"shop.example", "/"}, "http://shop.example/a?b", true},
      {{"shop.example", "/"}, "http://shop.example:8080/a", true},
      {{"shop.example", "/"}, "http://shop.example./a", true},
      {{"shop.example", "/"}, "http://other.example/a", false},
      {{"shop.example", "/"}, "http://sub.shop.example/a", false},
      {{"::1", "/"}, "http://[::1]:8080/a", false},
      {{"[::1]", "/"}, "http://[::1]:8080/a", true},
      {{"", "/a"}, "http://shop.example/a", true},
      {{"", "/a"}, "http://shop.example/a?b", true},
      {{"", "/a"}, "http://shop.example/a/b", true},
      {{"", "/a/"}, "http://shop.example/a/b", true},
      {{"", "/a/"}, "http://shop.example/a", true},
      {{"", "/a"}, "http://shop.example/ab", false},
      {{"", "/a"}, "http://shop.example/b/a", false},
      {{"", "/a"}, "http://shop.example/b?/a", false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Covers(row.scope, row.key), row.covers) << row.scope.host << row.scope.path_prefix << " " << row.key;
}

}  // namespace
}  // namespace portico::cache
