#include "api/check/levels.h"

#include <map>
#include <string>
#include <string_view>

#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

TEST(LevelsOf, TheFirstFieldOfEach) {
  const struct {
    std::string_view name, text;
    std::map<uint32_t, std::string> levels;
  } kRows[] = {
      {"nothing new",
       "kind: Route\nmetadata: {name: r, labels: {a: b}}\nspec: {rules: [{backendRefs: [{name: c}]}]}",
       {}},
      {"a field",
       "kind: Route\nmetadata: {name: r}\nspec: {rules: [{name: a}, {retry: {attempts: 2}}]}",
       {{2, "spec.rules[1].retry"}}},
      {"the first of several",
       "kind: Route\nmetadata: {name: r}\nspec: {rules: [{filters: [{cors: {}}], retry: {}}, {retry: {}}]}",
       {{2, "spec.rules[0].filters[0].cors"}}},
      {"a value",
       "kind: Cluster\nmetadata: {name: c}\nspec: {loadBalancer: {type: LeastRequest}}",
       {{2, "spec.loadBalancer.type"}}},
      {"a value that is not new", "kind: Cluster\nmetadata: {name: c}\nspec: {loadBalancer: {type: RoundRobin}}", {}},
      {"deep in a list",
       "kind: Cluster\nmetadata: {name: c}\nspec: {endpoints: [{port: 1}, {port: 2, weight: 3}]}",
       {{2, "spec.endpoints[1].weight"}}},
      {"a kind", "kind: RateLimitPolicy\nmetadata: {name: p}\nspec: {limits: [{name: a}]}", {{2, ""}}},
      {"a kind of the same level with fields",
       "kind: Endpoints\nmetadata: {name: e}\nspec: {endpoints: [{weight: 1}]}",
       {{2, ""}}},
  };
  for (const auto& row : kRows) {
    yaml::Problems problems(10);
    const auto documents = yaml::ReadText(row.text, "test.yaml", yaml::Limits(), problems);
    ASSERT_TRUE(problems.empty()) << problems.ToString();
    ASSERT_EQ(documents.size(), 1u);
    EXPECT_EQ(LevelsOf(documents[0].resource), row.levels) << row.name;
  }
  EXPECT_TRUE(LevelsOf(portico::v1::Resource()).empty());
}

}  // namespace
}  // namespace portico::check
