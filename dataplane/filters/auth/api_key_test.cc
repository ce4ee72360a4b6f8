#include "dataplane/filters/auth/api_key.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "dataplane/http/message.h"
#include "gtest/gtest.h"

namespace portico::auth {
namespace {

using Kind = KeyPlace::Kind;
using Lines = std::vector<std::pair<std::string, std::string>>;

ApiKeyMethod Method() {
  ApiKeyMethod method;
  method.headers = {"x-api-key", "x-key"};
  method.cookies = {"Key", "k2"};
  method.parameters = {"key", "a b"};
  return method;
}

// A head with its arena.
struct Request {
  explicit Request(const Lines& lines, std::string_view path = "/") {
    head.path = path;
    for (const auto& [name, value] : lines)
      head.fields.Add(name, value);
  }
  std::string Text() const {
    std::string out(head.path);
    for (const http::Field& field : head.fields)
      out += base::Concat("|", field.name, ": ", field.value);
    return out;
  }
  base::Arena arena;
  http::RequestHead head{arena};
};

TEST(ApiKeyTest, FindsTheFirstPlaceThatIsInUse) {
  const struct {
    const char* name;
    Lines lines;
    const char* path;
    Kind kind;
    size_t index;
    size_t count;
    const char* key;
  } rows[] = {
      {"nowhere", {{"x-other", "1"}}, "/a?x=1", Kind::kNone, 0, 0, ""},
      {"a header", {{"x-api-key", "K"}}, "/", Kind::kHeader, 0, 1, "K"},
      {"the second header", {{"x-key", "K"}}, "/", Kind::kHeader, 1, 1, "K"},
      {"the first that is named", {{"x-key", "B"}, {"x-api-key", "A"}}, "/", Kind::kHeader, 0, 1, "A"},
      {"two fields", {{"x-api-key", "A"}, {"x-api-key", "A"}}, "/", Kind::kHeader, 0, 2, "A"},
      {"a list is one value", {{"x-api-key", "A, B"}}, "/", Kind::kHeader, 0, 1, "A, B"},
      {"an empty header is in use", {{"x-api-key", ""}}, "/?key=K", Kind::kHeader, 0, 1, ""},
      {"another spelling of the header", {{"x_api_key", "K"}}, "/", Kind::kNone, 0, 0, ""},
      {"a cookie", {{"cookie", "Key=K"}}, "/", Kind::kCookie, 0, 1, "K"},
      {"a cookie among others", {{"cookie", "a=1; Key=K=; b=2"}}, "/", Kind::kCookie, 0, 1, "K="},
      {"a cookie of another line", {{"cookie", "a=1"}, {"cookie", "Key=K"}}, "/", Kind::kCookie, 0, 1, "K"},
      {"a cookie with spaces", {{"cookie", "a=1;  Key = K ;b=2"}}, "/", Kind::kCookie, 0, 1, "K"},
      {"a cookie twice", {{"cookie", "Key=A; Key=B"}}, "/", Kind::kCookie, 0, 2, "A"},
      {"a cookie in two lines", {{"cookie", "Key=A"}, {"cookie", "Key=B"}}, "/", Kind::kCookie, 0, 2, "A"},
      {"a cookie in another case", {{"cookie", "key=K"}}, "/", Kind::kNone, 0, 0, ""},
      {"a cookie without '='", {{"cookie", "Key"}}, "/", Kind::kNone, 0, 0, ""},
      {"a cookie that begins so", {{"cookie", "Keys=K; xKey=K"}}, "/", Kind::kNone, 0, 0, ""},
      {"a parameter", {}, "/a?key=K", Kind::kParameter, 0, 1, "K"},
      {"an encoded parameter", {}, "/a?x=1&%6bey=a%2Bb+c", Kind::kParameter, 0, 1, "a+b c"},
      {"a parameter with a space", {}, "/a?a+b=K", Kind::kParameter, 1, 1, "K"},
      {"a parameter without '='", {}, "/a?key", Kind::kParameter, 0, 1, ""},
      {"a parameter twice", {}, "/a?key=A&key=B", Kind::kParameter, 0, 2, "A"},
      {"a parameter in two spellings", {}, "/a?key=A&k%65y=B", Kind::kParameter, 0, 2, "A"},
      {"a parameter in another case", {}, "/a?Key=K", Kind::kNone, 0, 0, ""},
      {"a parameter behind a semicolon", {}, "/a?x=1;key=K", Kind::kNone, 0, 0, ""},
      {"in the path", {}, "/key=K", Kind::kNone, 0, 0, ""},
      {"an empty query", {}, "/a?", Kind::kNone, 0, 0, ""},
      {"headers before cookies", {{"cookie", "Key=C"}, {"x-key", "H"}}, "/?key=Q", Kind::kHeader, 1, 1, "H"},
      {"cookies before the query", {{"cookie", "k2=C"}}, "/?key=Q", Kind::kCookie, 1, 1, "C"},
  };
  for (const auto& row : rows) {
    const Request request(row.lines, row.path);
    const PresentedKey found = FindKey(Method(), request.head);
    EXPECT_EQ(found.place.kind, row.kind) << row.name;
    EXPECT_EQ(found.place.index, row.index) << row.name;
    EXPECT_EQ(found.count, row.count) << row.name;
    EXPECT_EQ(found.key, row.key) << row.name;
  }
}

TEST(ApiKeyTest, RemovesKeysAndNothingElse) {
  const KeyPlace none;
  const struct {
    const char* name;
    Lines lines;
    const char* path;
    KeyPlace kept;
    const char* rest;
  } rows[] = {
      {"nothing there", {{"x", "1"}, {"cookie", "a=1;b"}}, "/a?x=1", none, "/a?x=1|x: 1|cookie: a=1;b"},
      {"headers", {{"x-api-key", "A"}, {"x", "1"}, {"x-key", "B"}}, "/", none, "/|x: 1"},
      {"a header in every spelling", {{"x_api.key", "A"}, {"x-api-keys", "1"}}, "/", none, "/|x-api-keys: 1"},
      {"a cookie in the middle", {{"cookie", "a=1; Key=K; b=2"}}, "/", none, "/|cookie: a=1; b=2"},
      {"a cookie in front", {{"cookie", "Key=K; b=\"2\";c"}}, "/", none, "/|cookie: b=\"2\";c"},
      {"a cookie at the end", {{"cookie", "a=1;Key=K"}}, "/", none, "/|cookie: a=1"},
      {"a lone cookie", {{"cookie", "Key=K"}, {"x", "1"}}, "/", none, "/|x: 1"},
      {"every cookie of the name", {{"cookie", "Key=A; k2=B; c=1; Key=C"}}, "/", none, "/|cookie: c=1"},
      {"of two lines", {{"cookie", "a=1; Key=A"}, {"cookie", "b=2"}}, "/", none, "/|cookie: a=1|cookie: b=2"},
      {"cookies like it", {{"cookie", "keys=1; key=2"}}, "/", none, "/|cookie: keys=1; key=2"},
      {"a parameter in the middle", {}, "/a%20?x=%41&key=K&y", none, "/a%20?x=%41&y"},
      {"a parameter in front", {}, "/?key=K&x=1&&", none, "/?x=1&&"},
      {"a parameter at the end", {}, "/?x=1&key", none, "/?x=1"},
      {"a lone parameter", {}, "/a?key=K", none, "/a"},
      {"every spelling of it", {}, "/a?k%65y=K&a+b=1&a%20b=2&x=1", none, "/a?x=1"},
      {"the header that counted", {{"x-api-key", "A"}, {"x-key", "B"}}, "/", {Kind::kHeader, 0}, "/|x-api-key: A"},
      {"and none that looks so", {{"x-api-key", "A"}, {"x_api_key", "B"}}, "/", {Kind::kHeader, 0}, "/|x-api-key: A"},
      {"the cookie that counted", {{"cookie", "Key=A; k2=B"}}, "/?key=K", {Kind::kCookie, 0}, "/|cookie: Key=A"},
      {"the parameter that counted", {}, "/?key=K&a+b=1", {Kind::kParameter, 0}, "/?key=K"},
  };
  for (const auto& row : rows) {
    Request request(row.lines, row.path);
    RemoveKeys(Method(), row.kept, request.head);
    EXPECT_EQ(request.Text(), row.rest) << row.name;
  }
}

TEST(ApiKeyTest, WhatIsNotChangedIsNotCopied) {
  Request request({{"cookie", "a=1"}}, "/a?x=1");
  const char* path = request.head.path.data();
  const char* cookie = request.head.fields.begin()->value.data();
  RemoveKeys(Method(), KeyPlace(), request.head);
  EXPECT_EQ(request.head.path.data(), path);
  EXPECT_EQ(request.head.fields.begin()->value.data(), cookie);
}

TEST(ApiKeyTest, TrailersLoseTheHeadersAlone) {
  Request trailers({{"x-api-key", "A"}, {"x_key", "B"}, {"cookie", "Key=C"}, {"x", "1"}});
  RemoveKeyFields(Method(), KeyPlace(), trailers.head.fields);
  EXPECT_EQ(trailers.Text(), "/|cookie: Key=C|x: 1");
}

}  // namespace
}  // namespace portico::auth
