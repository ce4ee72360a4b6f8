#include "dataplane/compose/compose_config.h"

#include <google/protobuf/text_format.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>

namespace portico::compose {
namespace {

absl::StatusOr<std::shared_ptr<const Plan>> Build(const std::string& spec) {
  v1::Composition message;
  EXPECT_TRUE(google::protobuf::TextFormat::ParseFromString(spec, &message)) << spec;
  return BuildPlan(message);
}

constexpr char kAnswer[] = R"( answer { body: "1" } )";

TEST(ComposeConfigTest, DrawsTheGraphFromTheVariables) {
  const auto plan = Build(R"(spec {
    steps { name: "stock" for_each { items: "$orders.body[].id" max_items: 7 }
            call { backend_ref { name: "inventory" } path: "/stock/${each}"
                   query { name: "a b" value: "${request.x}" } }
            timeouts { request { nanos: 100000000 } } absent_on: 404
            on_failure: ON_FAILURE_USE_FALLBACK
            fallback { struct_value { fields { key: "n" value { null_value: 0 } } } } }
    steps { name: "orders" call { backend_ref { name: "order" } path: "/o" } }
    answer { body: "[$orders, $stock, $failures]" } })");
  ASSERT_TRUE(plan.ok()) << plan.status().message();
  const Step& stock = (*plan)->steps[0];
  EXPECT_EQ(stock.inputs, std::vector<size_t>{1});
  EXPECT_EQ(stock.for_each->items_max, 7U);
  EXPECT_EQ(stock.for_each->parallel, 8U);
  EXPECT_EQ(stock.query[0].name, "a%20b");
  EXPECT_EQ(stock.call_timeout, std::chrono::milliseconds(100));
  EXPECT_EQ(stock.failure_rule, FailureRule::kUseFallback);
  EXPECT_TRUE(stock.fallback.Find("n")->is_null());
  EXPECT_TRUE((*plan)->steps[1].inputs.empty());
  EXPECT_EQ((*plan)->backends[1], (BackendKey{"default", "order", std::nullopt}));
}

TEST(ComposeConfigTest, RefusesAndNamesThePlace) {
  const std::string call = R"(call { backend_ref { name: "c" } path: "/" } )";
  const struct {
    std::string_view name;
    std::string spec;
    std::string_view message;
  } rows[] = {
      {"no step", "", "1 to 32"},
      {"name twice", "steps { name: 'a' " + call + "} steps { name: 'a' " + call + "}", "a is taken"},
      {"reserved name", "steps { name: 'each' " + call + "}", "each is taken"},
      {"no backend", "steps { name: 'a' call { path: '/' } }", "steps[0] (a): call.backendRef: required"},
      {"relative path", "steps { name: 'a' call { backend_ref { name: 'c' } path: 'x' } }", "must begin with /"},
      {"each without forEach", "steps { name: 'a' call { backend_ref { name: 'c' } path: '/${each}' } }",
       "${each} is not defined"},
      {"misspelt program", "steps { name: 'a' for_each { items: '$b' } " + call + "}", "forEach.items: line 1"},
      {"too many items", "steps { name: 'a' for_each { items: '1' max_items: 101 } " + call + "}", "maxItems"},
      {"no parallel", "steps { name: 'a' for_each { items: '1' parallel: 0 } " + call + "}", "parallel"},
      {"fallback missing", "steps { name: 'a' on_failure: ON_FAILURE_USE_FALLBACK " + call + "}", "fallback"},
      {"fallback unused", "steps { name: 'a' fallback { bool_value: true } " + call + "}", "fallback"},
      {"absent on 500", "steps { name: 'a' absent_on: 500 " + call + "}", "absentOn"},
      {"framing field", "steps { name: 'a' call { backend_ref { name: 'c' } path: '/' headers { name: 'Host' } } }",
       "host can't be set"},
      {"itself", "steps { name: 'a' call { backend_ref { name: 'c' } path: '/${a.body}' } }", "a -> a"},
      {"cycle",
       "steps { name: 'x' for_each { items: '$a' } " + call + "} steps { name: 'a' for_each { items: '$b' } " + call +
           "} steps { name: 'b' for_each { items: '$a' } " + call + "}",
       "steps depend on each other: a -> b -> a"},
  };
  for (const auto& row : rows) {
    const auto plan = Build("spec { " + row.spec + kAnswer + "}");
    ASSERT_FALSE(plan.ok()) << row.name;
    EXPECT_NE(std::string(plan.status().message()).find(row.message), std::string::npos)
        << row.name << ": " << plan.status().message();
  }
}

}  // namespace
}  // namespace portico::compose
