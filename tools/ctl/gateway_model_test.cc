#include "tools/ctl/gateway_model.h"

#include <memory>
#include <string>

#include "api/base/text.h"
#include "api/resolve/resolve_for_test.h"
#include "gtest/gtest.h"

namespace portico::ctl {
namespace {

using base::Concat;

// A request by one rule that an origin may read as one by another is refused if that one guards what the first does
// not.
TEST(GatewayModel, AnotherReading) {
  const auto policy = [](std::string_view kind, std::string_view name, std::string_view target, std::string_view says) {
    return Concat("---\nkind: ", kind, "\nmetadata: {name: ", name, "}\nspec: {targetRefs: [{", target, "}]", says,
                  "}\n");
  };
  const std::string rule = "kind: Route, name: r, sectionName: users", gateway = "kind: Gateway, name: front";
  const std::string limits = ", limits: [{name: all, limit: {requests: 1, per: 1s}}]";
  const struct {
    const char* name;
    std::string policies;
    int status;
  } kRows[] = {
      {"nobody says anything", "", 0},
      {"authentication", policy("AuthPolicy", "p", rule, ", authentication: {anyOf: [{anonymous: {}}]}"), 400},
      {"authorization", policy("AuthPolicy", "p", rule, ", authorization: {defaultAction: Deny}"), 400},
      {"limits", policy("RateLimitPolicy", "p", rule, limits), 400},
      {"limits of both", policy("RateLimitPolicy", "p", gateway, limits), 0},
      {"what is stored", policy("CachePolicy", "p", rule, ""), 0},
      {"what is stored, and limits of both",
       policy("CachePolicy", "p", rule, "") + policy("RateLimitPolicy", "p", gateway, limits), 0},
  };
  for (const auto& row : kRows) {
    SCOPED_TRACE(row.name);
    const std::string text = Concat(resolve::for_test::kFront, R"(---
kind: Route
metadata: {name: r}
spec: {rules: [{name: users, matches: [{path: {value: /users}}]}, {name: rest}]}
)",
                                    row.policies);
    const auto model = GatewayModel::Create(resolve::for_test::Configure(resolve::for_test::Read(text)), "front");
    ASSERT_TRUE(model.ok()) << model.status();
    const auto request = ParseRequest("GET", "http://shop.example/users;x", {});
    ASSERT_TRUE(request.ok()) << request.status();
    const SeenRequest seen(*request);
    const auto table = (*model)->Table(80);
    ASSERT_TRUE(table.ok()) << table.status();
    const route::RuleMatch* match = (*table)->Match(seen.view());
    ASSERT_NE(match, nullptr);
    EXPECT_EQ(match->rule->name, "rest");
    EXPECT_EQ(AnswerBefore(**table, *match, seen).status, row.status);
  }
}

}  // namespace
}  // namespace portico::ctl
