#include "api/base/text.h"
#include "api/check/resource/resource.h"
#include "api/check/violation.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

using base::Concat;

// What is wrong with a policy of these limits, by path.
std::string Check(const std::string& limits, const std::string& more = "") {
  yaml::Problems problems(10);
  std::string all;
  for (const yaml::Document& document : yaml::ReadText(
           Concat("kind: RateLimitPolicy\nmetadata: {name: x}\nspec: {targetRefs: [{kind: Gateway, name: g}], "
                  "limits: [",
                  limits, "]", more, "}\n"),
           "f", yaml::Limits(), problems)) {
    for (const Violation& violation : CheckResource(document.resource, {}))
      all += Concat(all.empty() ? "" : "; ", violation.path, " ", violation.message);
  }
  return problems.ToString() + all;
}

TEST(CheckRateLimitPolicy, Rows) {
  const std::string rate = "limit: {requests: 1, per: 1s}";
  const std::string longer = "must be 1s to 1h: what counts longer must outlive a proxy, which its memory does not";
  const auto per = [](const std::string& time) { return Concat("{name: a, limit: {requests: 1, per: ", time, "}}"); };
  const struct {
    const char* name;
    std::string limits;
    std::string expected;
  } kRows[] = {
      {"all that may be said",
       "{name: a, key: [Header, ClientAddress, Consumer], header: X-Tenant, keyMissing: Skip, limit: {requests: 100, "
       "per: "
       "1m}, burst: 10, scope: Proxy}, {name: b, " +
           rate + ", keyMissing: Share}",
       ""},
      {"a name twice", "{name: a, " + rate + "}, {name: a, " + rate + "}",
       "spec.limits[1].name is the name of another limit"},
      {"a key twice", "{name: a, key: [Consumer, Consumer], " + rate + "}", "spec.limits[0].key[1] is there already"},
      {"a header without its key", "{name: a, key: [Consumer], header: x, " + rate + "}",
       "spec.limits[0].header is for the key Header, and needed there"},
      {"a key without its header", "{name: a, key: [Header], " + rate + "}",
       "spec.limits[0].header is for the key Header, and needed there"},
      {"a header that no rule sees", "{name: a, key: [Header], header: Host, " + rate + "}",
       "spec.limits[0].header is a field of the connection or of framing, whose value no rule sees"},
      {"the shortest", per("1s"), ""},
      {"too short", per("999ms"), "spec.limits[0].limit.per must be 1s to 1h"},
      {"none", per("0s"), "spec.limits[0].limit.per must be 1s to 1h"},
      {"the longest", per("60m"), ""},
      {"too long", per("1h1s"), "spec.limits[0].limit.per " + longer},
      {"hardly too long", per("1h1ms"), "spec.limits[0].limit.per " + longer},
      {"a day", per("24h"), "spec.limits[0].limit.per " + longer},
      {"no whole seconds", per("1s500ms"),
       "spec.limits[0].limit.per must be whole seconds, as the ratelimit fields tell it"},
      {"of the fleet", "{name: a, scope: Fleet, " + rate + "}",
       "spec.limits[0].scope the value Fleet is not supported yet"},
  };
  for (const auto& row : kRows)
    EXPECT_EQ(Check(row.limits), row.expected) << row.name;
  EXPECT_EQ(Check("{name: a, " + rate + "}", ", reportOnly: true"), "");
}

}  // namespace
}  // namespace portico::check
