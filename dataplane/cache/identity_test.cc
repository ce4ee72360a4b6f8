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
      {"as others spell it", {.fields = {{"x_original_url", "/admin"}}}, false},
      {"a method of its own", {.fields = {{"x-http-method-override", "POST"}}}, false},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Of(row.one) == Of({}), row.same) << row.name;
  EXPECT_NE(Of({.fields = {{"x-forwarded-host", "a"}, {"x-forwarded-proto", "b"}}}),
            Of({.fields = {{"x-forwarded-host", "b"}, {"x-forwarded-proto", "a"}}}));
}

// What a peer says of where it was sent, and nobody here vouches for.
TEST(IdentityTest, WhatOverridesTheTarget) {
  const std::pair<std::string_view, bool> rows[] = {{"accept", false},
                                                    {"x-forwarded-for", false},
                                                    {"x-forwarded-host", false},
                                                    {"x-forwarded-port", false},
                                                    {"x-forwarded-proto", false},
                                                    {"forwarded", false},
                                                    {"x-forwarded", false},
                                                    {"x-hosts", false},
                                                    {"x_forwarded_host", true},
                                                    {"x-forwarded_proto", true},
                                                    {"x-forwarded-prefix", true},
                                                    {"x-forwarded-scheme", true},
                                                    {"x-forwarded-ssl", true},
                                                    {"front-end-https", true},
                                                    {"x-url-scheme", true},
                                                    {"x-original-host", true},
                                                    {"x-http-host-override", true},
                                                    {"x-forwarded-server", true},
                                                    {"x-forwarded-path", true},
                                                    {"x-forwarded-uri", true},
                                                    {"x-rewrite-url", true},
                                                    {"x-original-url", true},
                                                    {"x-http-method-override", true},
                                                    {"x-http-method", true},
                                                    {"x-method-override", true},
                                                    {"x-host", true},
                                                    {"x_http_method_override", true}};
  for (const auto& [name, overrides] : rows) {
    base::Arena arena;
    http::Fields fields(arena);
    fields.Add("accept", "a/b");
    fields.Add(name, "x");
    EXPECT_EQ(OverridesTarget(fields), overrides) << name;
  }
}

}  // namespace
}  // namespace portico::cache
