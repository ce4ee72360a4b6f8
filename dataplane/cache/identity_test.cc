#include "dataplane/cache/identity.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"

namespace portico::cache {
namespace {

struct Case {
  std::string rule = "r", authority = "a", path = "/p";
  std::vector<std::pair<std::string, std::string>> fields = {};
  std::string scheme = "http";
};

Identity Of(const Case& one) {
  base::Arena arena;
  http::RequestHead head(arena);
  head.scheme = one.scheme;
  head.authority = one.authority;
  head.path = one.path;
  for (const auto& [name, value] : one.fields)
    head.fields.Add(name, value);
  return Identity({.stores = true, .rule = one.rule}, head);
}

TEST(IdentityTest, IsWhatTheOriginIsAsked) {
  struct Row {
    std::string_view name;
    Case one;
    bool same;
  };
  const Row rows[] = {
      {"the same", {}, true},
      {"another rule", {.rule = "s"}, false},
      {"another host", {.authority = "b"}, false},
      {"another path", {.path = "/q"}, false},
      {"pieces are not run together", {.authority = "a/", .path = "p"}, false},
      {"what the client calls its scheme, which nobody passes on", {.scheme = "https"}, true},
      {"a field that no target is in", {.fields = {{"accept", "a/b"}, {"x-forwarded-for", "192.0.2.1"}}}, true},
      {"its scheme", {.fields = {{"x-forwarded-proto", "https"}}}, false},
      {"its host", {.fields = {{"x-forwarded-host", "evil.example"}}}, false},
      {"its port", {.fields = {{"x-forwarded-port", "1"}}}, false},
      {"its prefix", {.fields = {{"x-forwarded-prefix", "/x"}}}, false},
      {"RFC 7239", {.fields = {{"forwarded", "host=evil.example"}}}, false},
      {"a path of its own", {.fields = {{"x-original-url", "/admin"}}}, false},
      {"a method of its own", {.fields = {{"x-http-method-override", "POST"}}}, false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Of(row.one) == Of({}), row.same) << row.name;
  EXPECT_NE(Of({.fields = {{"x-forwarded-host", "a"}, {"x-forwarded-proto", "b"}}}),
            Of({.fields = {{"x-forwarded-host", "b"}, {"x-forwarded-proto", "a"}}}));
}

}  // namespace
}  // namespace portico::cache
