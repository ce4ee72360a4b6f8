#include "dataplane/route/path.h"

#include <string>
#include <vector>

#include "gtest/gtest.h"

namespace portico::route {
namespace {

TEST(NormalisePath, Accepts) {
  const struct {
    const char* name;
    const char* path;
    const char* normal;
  } kRows[] = {
      {"root", "/", "/"},
      {"plain", "/a/b", "/a/b"},
      {"slash at the end", "/a/", "/a/"},
      {"asterisk", "*", "*"},
      {"unreserved", "/%73ecre%74/%7e%2D%5f", "/secret/~-_"},
      {"reserved stays, upper case", "/a%20b%3a%c3%a9", "/a%20b%3A%C3%A9"},
      {"encoded slash stays", "/a%2fb", "/a%2Fb"},
      {"encoded percent stays", "/%2573", "/%2573"},
      {"double slash", "//a///b//", "/a/b/"},
      {"dots in names", "/a.b/.well-known/...", "/a.b/.well-known/..."},
      {"dots in a parameter", "/a;../x", "/a;../x"},
      {"dots in an encoded parameter", "/a%3b../x", "/a%3B../x"},
      {"encoded dot in a name", "/a%2eb", "/a.b"},
      {"others stay", "/!$&'()*+,;=:@[]|", "/!$&'()*+,;=:@[]|"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const NormalisedPath normal = NormalisePath(row.path);
    EXPECT_TRUE(normal.status.ok()) << normal.status;
    EXPECT_EQ(normal.path, row.normal);
    if (std::string_view(row.path) != row.normal) EXPECT_TRUE(NeedsNormalising(row.path));
    // A normal path is a fixed point.
    EXPECT_EQ(NormalisePath(normal.path).path, normal.path);
  }
  EXPECT_FALSE(NeedsNormalising("/products/1/reviews"));
  EXPECT_FALSE(NeedsNormalising("*"));
}

TEST(NormalisePath, Refuses) {
  const struct {
    const char* name;
    const char* path;
  } kRows[] = {
      {"empty", ""},
      {"relative", "a"},
      {"asterisk and more", "*/a"},
      {"dot", "/./a"},
      {"dot at the end", "/a/."},
      {"two dots", "/a/../b"},
      {"two dots at the end", "/a/.."},
      {"above the root", "/../../etc/passwd"},
      {"encoded dots", "/a/%2e%2E/b"},
      {"half encoded dots", "/a/.%2e"},
      {"dots after slashes", "/a//..//b"},
      {"dots between encoded slashes", "/x%2f..%2fsecret"},
      {"dots before a backslash", "/x/..\\secret"},
      {"dots before an encoded backslash", "/x/..%5csecret"},
      {"dots before a parameter", "/..;/x"},
      {"dots before a parameter with a value", "/public/%2e%2e;a=b/admin"},
      {"dots before an encoded semicolon", "/public/..%3B/admin"},
      {"encoded dots before an encoded semicolon", "/a/%2e%2e%3bx"},
      {"one dot before an encoded semicolon", "/x/.%3B"},
      {"dots after an encoded slash in a parameter", "/x;a%2F../secret"},
      {"NUL", "/a%00"},
      {"no digits", "/a%"},
      {"one digit", "/a%2"},
      {"not hexadecimal", "/a%2g"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    EXPECT_TRUE(NeedsNormalising(row.path));
    EXPECT_EQ(NormalisePath(row.path).status.code(), absl::StatusCode::kInvalidArgument);
  }
}

TEST(OtherReadings, Table) {
  const struct {
    const char* path;
    std::vector<std::string> readings;
  } kRows[] = {{"/", {}},
               {"/a/b", {}},
               {"/a%20b", {}},
               {"*", {}},
               {"/admin;x", {"/admin"}},
               {"/admin;x=1;y/a;z/b", {"/admin/a/b"}},
               {"/admin%3Bx/a", {"/admin/a"}},
               {"/admin\\a", {"/admin/a"}},
               {"/admin%2Fa%5Cb", {"/admin/a/b"}},
               {"/admin%2F/a", {"/admin/a"}},
               {"/;/admin", {"/admin"}},
               {"/;", {"/"}},
               {"/admin;x%2Fy", {"/admin;x/y", "/admin", "/admin/y"}},
               {"/admin;x\\y/z", {"/admin;x/y/z", "/admin/z", "/admin/y/z"}},
               {"/a%2Fb;c", {"/a/b;c", "/a%2Fb", "/a/b"}}};
  for (const auto& row : kRows)
    EXPECT_EQ(OtherReadings(row.path), row.readings) << row.path;
}

TEST(SplitTarget, Table) {
  const struct {
    const char* target;
    const char* path;
    const char* query;
    bool has_query;
  } kRows[] = {
      {"/a", "/a", "", false}, {"/a?", "/a", "", true}, {"/a?b=c?d", "/a", "b=c?d", true}, {"*", "*", "", false}};
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.target);
    const Target target = SplitTarget(row.target);
    EXPECT_EQ(target.path, row.path);
    EXPECT_EQ(target.query, row.query);
    EXPECT_EQ(target.has_query, row.has_query);
  }
}

TEST(HostOf, Table) {
  const struct {
    const char* authority;
    const char* host;
  } kRows[] = {{"a.example", "a.example"},   {"a.example:8080", "a.example"},
               {"a.example.", "a.example"},  {"a.example.:80", "a.example"},
               {"127.0.0.1:1", "127.0.0.1"}, {"[::1]", "[::1]"},
               {"[::1]:80", "[::1]"},        {"", ""}};
  for (const auto& row : kRows)
    EXPECT_EQ(HostOf(row.authority), row.host) << row.authority;
}

TEST(FindQueryParameter, Table) {
  const struct {
    const char* name;
    const char* query;
    const char* parameter;
    const char* value;  // nullptr: not there
  } kRows[] = {
      {"plain", "a=1&b=2", "b", "2"},
      {"first of two", "a=1&a=2", "a", "1"},
      {"empty", "a=", "a", ""},
      {"without equals", "a&b", "a", ""},
      {"second equals", "a=b=c", "a", "b=c"},
      {"plus", "color=dark+blue", "color", "dark blue"},
      {"encoded value", "color=dark%20blue%26", "color", "dark blue&"},
      {"encoded name", "%61=1", "a", "1"},
      {"name looks encoded", "%2561=1", "%61", "1"},
      {"malformed escape", "a=%2&b=%zz", "b", "%zz"},
      {"case", "A=1", "a", nullptr},
      {"none", "", "a", nullptr},
      {"prefix of a name", "ab=1", "a", nullptr},
      {"in a value", "b=a", "a", nullptr},
      {"empty pairs", "&&a=1&", "a", "1"},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const auto value = FindQueryParameter(row.query, row.parameter);
    EXPECT_EQ(value, row.value == nullptr ? std::nullopt : std::optional<std::string>(row.value));
  }
}

}  // namespace
}  // namespace portico::route
