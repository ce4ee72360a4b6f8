#include "dataplane/downstream/composition_input.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace portico::downstream {
namespace {

std::string Print(const base::Json& value) {
  return base::PrintJson(value, 1 << 20).value_or("(too long)");
}

struct Request {
  explicit Request(std::string_view target_text = "/") : head(arena), target(route::SplitTarget(target_text)) {
    head.method = "GET";
    head.scheme = "https";
    head.authority = "shop.example:8443";
  }
  std::string Member(std::string_view name) { return Print(*RequestVariable(head, target, arena).Find(name)); }
  base::Arena arena;
  http::RequestHead head;
  route::Target target;
};

TEST(CompositionInputTest, TheRequestIsAllThatProgramsMaySee) {
  Request request("/a/b?c=d");
  request.head.fields.Add("accept", "*/*");
  EXPECT_EQ(Print(RequestVariable(request.head, request.target, request.arena)),
            R"({"method":"GET","scheme":"https","host":"shop.example","path":"/a/b","query":{"c":"d"},)"
            R"("headers":{"accept":"*/*"}})");
}

TEST(CompositionInputTest, QueryParametersAreDecodedAndTheFirstOfEachCounts) {
  struct Row {
    std::string_view name, query, json;
  };
  const Row rows[] = {
      {"none", "/", "{}"},
      {"empty", "/?", "{}"},
      {"in order", "/?b=1&a=2", R"({"b":"1","a":"2"})"},
      {"first of two", "/?a=1&b=2&a=3&b=4", R"({"a":"1","b":"2"})"},
      {"the same name in two spellings", "/?a=1&%61=2", R"({"a":"1"})"},
      {"without value", "/?a&b=", R"({"a":"","b":""})"},
      {"without name", "/?=1", R"({"":"1"})"},
      {"equals in the value", "/?a=b=c", R"({"a":"b=c"})"},
      {"empty pairs", "/?&&a=1&", R"({"a":"1"})"},
      {"plus and percent", "/?a+b=c%20d%2Be", R"({"a b":"c d+e"})"},
      {"percent without digits", "/?a=%&b=%4&c=%zz", R"({"a":"%","b":"%4","c":"%zz"})"},
      {"percent at the end", "/?a=%41", R"({"a":"A"})"},
      {"no UTF-8", "/?a=%ff%C3%A4%c3", "{\"a\":\"\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\"}"},
      {"two names that become one", "/?%ff=1&%fe=2", "{\"\xef\xbf\xbd\":\"1\"}"},
      {"quote and NUL", "/?a=%22%00", R"({"a":"\"\u0000"})"},
  };
  for (const Row& row : rows)
    EXPECT_EQ(Request(row.query).Member("query"), row.json) << row.name;
}

TEST(CompositionInputTest, FieldsOfOneNameAreJoined) {
  Request request;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"accept", "a"}, {"x-b", "1"}, {"accept", "b"}, {"x-c", "\xff"}, {"x-b", "2"}}) {
    request.head.fields.Add(name, value);
  }
  EXPECT_EQ(request.Member("headers"), "{\"accept\":\"a, b\",\"x-b\":\"1, 2\",\"x-c\":\"\xef\xbf\xbd\"}");
}

TEST(CompositionInputTest, TheHostHasNoPort) {
  Request request;
  for (const auto& [authority, host] : std::vector<std::pair<std::string_view, std::string_view>>{
           {"shop.example", "\"shop.example\""}, {"[::1]:80", "\"[::1]\""}, {"", "\"\""}}) {
    request.head.authority = authority;
    EXPECT_EQ(request.Member("host"), host);
  }
}

// A client can send as many parameters as fit into a request target: the work must not grow with their square.
TEST(CompositionInputTest, AQueryOfManyParametersIsReadQuickly) {
  std::string target = "/?";
  for (int i = 0; i < 20'000; ++i)
    target += std::to_string(i) + "&";
  Request request(target);
  EXPECT_EQ(RequestVariable(request.head, request.target, request.arena).Find("query")->members().size(), 20'000u);
}

TEST(CompositionInputTest, AnAnonymousIdentityIsMostlyNull) {
  base::Arena arena;
  EXPECT_EQ(Print(IdentityVariable({}, arena)),
            R"({"anonymous":true,"method":"Anonymous","subject":null,"issuer":null,"scopes":[],"consumer":null,)"
            R"("groups":[],"claims":null})");
}

TEST(CompositionInputTest, AKeyHasAConsumerAndNoSubject) {
  base::Arena arena;
  filter::Identity identity;
  identity.method = filter::IdentityMethod::kApiKey;
  identity.consumers = {{"default", "partner"}};
  EXPECT_EQ(Print(IdentityVariable(identity, arena)),
            R"({"anonymous":false,"method":"APIKey","subject":null,"issuer":null,"scopes":[],"consumer":"partner",)"
            R"("groups":[],"claims":null})");
}

TEST(CompositionInputTest, AnIdentityHasItsClaims) {
  base::Arena arena;
  filter::Identity identity;
  identity.method = filter::IdentityMethod::kJwt;
  identity.subject = "ada";
  identity.issuer = "https://id.example";
  identity.scopes = {"read", "write"};
  identity.consumers = {{"default", "partner"}, {"default", "other"}};
  identity.groups = {"gold"};
  const base::JsonMember claims[] = {{"sub", base::Json::String("ada")}};
  identity.claims = base::Json::Object(arena, claims);
  EXPECT_EQ(
      Print(IdentityVariable(identity, arena)),
      R"({"anonymous":false,"method":"JWT","subject":"ada","issuer":"https://id.example","scopes":["read","write"],)"
      R"("consumer":"partner","groups":["gold"],"claims":{"sub":"ada"}})");
}

TEST(CompositionInputTest, TracingGoesOnAndNothingElse) {
  Request request;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"cookie", "secret"},
                                                                                    {"tracestate", "a=1"},
                                                                                    {"traceparent", "t"},
                                                                                    {"tracestate", "b=2"},
                                                                                    {"x-request-id", "r"}}) {
    request.head.fields.Add(name, value);
  }
  const std::vector<std::pair<std::string, std::string>> expected = {
      {"traceparent", "t"}, {"tracestate", "a=1, b=2"}, {"x-request-id", "r"}};
  EXPECT_EQ(TracingFields(request.head.fields), expected);
  EXPECT_TRUE(TracingFields(Request().head.fields).empty());
}

}  // namespace
}  // namespace portico::downstream
