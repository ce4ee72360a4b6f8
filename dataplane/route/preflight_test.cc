#include "dataplane/route/preflight.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "api/base/arena.h"
#include "api/base/text.h"
#include "api/resolve/resolve.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "dataplane/route/route_config.h"
#include "gtest/gtest.h"

namespace portico::route {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

http::Fields Fields(base::Arena& arena, const Lines& lines) {
  http::Fields fields(arena);
  for (const auto& [name, value] : lines)
    fields.Add(name, value);
  return fields;
}

TEST(PreflightTest, IsOneQuestionOfOnePage) {
  const Lines good = {{"origin", "https://a.example"}, {"access-control-request-method", "PUT"}};
  const auto with = [&good](Lines more) {
    more.insert(more.begin(), good.begin(), good.end());
    return more;
  };
  const struct {
    const char* name;
    const char* method;
    Lines lines;
    const char* asked;
  } rows[] = {
      {"good", "OPTIONS", good, "PUT"},
      {"good, with more", "OPTIONS", with({{"access-control-request-headers", "x"}}), "PUT"},
      {"a method of one's own", "OPTIONS", {good[0], {"access-control-request-method", "Purge"}}, "Purge"},
      {"another method", "GET", good, ""},
      {"in another case", "options", good, ""},
      {"no page", "OPTIONS", {good[1]}, ""},
      {"no question", "OPTIONS", {good[0]}, ""},
      {"two pages", "OPTIONS", with({good[0]}), ""},
      {"two questions", "OPTIONS", with({good[1]}), ""},
      {"no method", "OPTIONS", {good[0], {"access-control-request-method", ""}}, ""},
      {"more than a method", "OPTIONS", {good[0], {"access-control-request-method", "PUT, GET"}}, ""},
  };
  for (const auto& row : rows) {
    base::Arena arena;
    EXPECT_EQ(PreflightMethod(row.method, Fields(arena, row.lines)), row.asked) << row.name;
  }
}

std::unique_ptr<const RouteTable> Build(const std::string& rules) {
  const std::string text = base::Concat(
      "kind: Gateway\nmetadata: {name: front}\nspec: {listeners: [{name: http, port: 80, protocol: HTTP}]}\n",
      "---\nkind: Route\nmetadata: {name: r}\nspec: {rules: [", rules, "]}\n");
  yaml::Problems problems(10);
  check::Configuration configuration;
  for (yaml::Document& document : yaml::ReadText(text, "test.yaml", yaml::Limits(), problems))
    EXPECT_TRUE(configuration.Add(std::move(document.resource)));
  EXPECT_TRUE(problems.empty()) << problems.ToString();
  const auto gateway = resolve::Resolve(configuration, {"Gateway", "default", "front"});
  EXPECT_TRUE(gateway.ok());
  auto table = BuildRouteTable(*gateway, 80);
  EXPECT_TRUE(table.ok()) << table.status();
  return *std::move(table);
}

// Rules whose name begins so have a CORS filter.
bool Answers(const RuleMatch& match) {
  return match.rule->name.starts_with("cors");
}

TEST(PreflightTest, IsAnsweredByTheRuleThatItAsksAbout) {
  const auto rule = [](const std::string& name, const std::string& match) {
    return base::Concat("{name: ", name, ", matches: [{path: {value: /}", match.empty() ? "" : ", ", match, "}]}, ");
  };
  const struct {
    const char* name;
    std::string rules;
    Lines more;
    const char* answers;  // "": nobody
    const char* method;
    bool refused;
  } rows[] = {
      {"a rule of any method", rule("cors", ""), {}, "cors", "PUT", false},
      {"without a filter", rule("plain", ""), {}, "plain", "OPTIONS", false},
      {"a rule of that method", rule("cors", "method: PUT"), {}, "cors", "PUT", false},
      {"of that method, without a filter", rule("plain", "method: PUT"), {}, "", "OPTIONS", false},
      {"of another method", rule("cors", "method: GET"), {}, "", "OPTIONS", false},
      {"one of several",
       rule("cors-get", "method: GET") + rule("cors-put", "method: PUT") + rule("plain", ""),
       {},
       "cors-put",
       "PUT",
       false},
      {"OPTIONS by name",
       rule("plain", "method: OPTIONS") + rule("cors", "method: PUT"),
       {},
       "plain",
       "OPTIONS",
       false},
      {"OPTIONS by name, with a filter",
       rule("cors", "method: OPTIONS") + rule("plain", "method: PUT"),
       {},
       "cors",
       "OPTIONS",
       false},
      {"a filter does not speak for another rule",
       rule("cors", "") + rule("plain", "method: PUT"),
       {},
       "cors",
       "OPTIONS",
       true},
      {"nor is one needed", rule("plain", "") + rule("other", "method: PUT"), {}, "plain", "OPTIONS", false},
      {"fields are the preflight's own",
       rule("cors", "") + rule("plain", "headers: [{name: x, value: a}]"),
       {},
       "cors",
       "PUT",
       false},
      {"and seen where it has them",
       rule("cors-x", "headers: [{name: x, value: a}]") + rule("cors", ""),
       {{"x", "a"}},
       "cors-x",
       "PUT",
       false},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.name);
    const auto table = Build(row.rules);
    base::Arena arena;
    Lines lines = {{"origin", "https://a.example"}, {"access-control-request-method", "PUT"}};
    lines.insert(lines.end(), row.more.begin(), row.more.end());
    const http::Fields fields = Fields(arena, lines);
    const RequestView request{"OPTIONS", "api.example", "/a", "", fields};
    const AskedRule asked = FindAsked(*table, request, table->Match(request), Answers);
    EXPECT_EQ(asked.match == nullptr ? "" : asked.match->rule->name, row.answers);
    EXPECT_EQ(asked.method, row.method);
    EXPECT_EQ(asked.refused, row.refused);
  }
}

TEST(PreflightTest, OtherRequestsKeepTheirRule) {
  const auto table = Build(
      "{name: plain, matches: [{path: {value: /}}]}, "
      "{name: cors, matches: [{path: {value: /}, method: PUT}]}");
  base::Arena arena;
  const http::Fields fields = Fields(arena, {{"origin", "https://a.example"}});
  const RequestView request{"OPTIONS", "api.example", "/a", "", fields};
  EXPECT_EQ(FindAsked(*table, request, table->Match(request), Answers).match->rule->name, "plain");
}

}  // namespace
}  // namespace portico::route
