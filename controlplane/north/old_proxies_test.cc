#include "controlplane/north/old_proxies.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

struct Proxy {
  std::string gateway;
  uint32_t level;
  bool connected = true;
};

TEST(OldProxies, AreToldOf) {
  const check::ResourceKey g{"Gateway", "default", "g"}, other{"Gateway", "team", "g"},
      shop{"Route", "default", "shop"};
  const change::Need retry{g, shop, {{2, "spec.rules[0].retry"}}};
  const change::Need both{g, shop, {{2, "spec.rules[0].retry"}, {3, "spec.rules[0].future"}}};
  const struct {
    std::string_view name;
    std::vector<change::Need> needs;
    std::vector<Proxy> proxies;
    std::string warnings;
  } kRows[] = {
      {"nothing is needed", {}, {{"default/g", 0}}, ""},
      {"nobody is there", {retry}, {}, ""},
      {"all know it", {retry}, {{"default/g", 2}, {"default/g", 7}}, ""},
      {"one does not",
       {retry},
       {{"default/g", 2}, {"default/g", 1}, {"default/g", 2}},
       "Route shop: spec.rules[0].retry: is of schema level 2; 1 of 3 connected proxies of Gateway g is of level 1 and "
       "will refuse it: upgrade first\n"},
      {"several, and one that says no level",
       {retry},
       {{"default/g", 1}, {"default/g", 0}, {"default/g", 1}},
       "Route shop: spec.rules[0].retry: is of schema level 2; 3 of 3 connected proxies of Gateway g are of level 0, 1 "
       "and will refuse it: upgrade first\n"},
      {"one that has left", {retry}, {{"default/g", 1, false}, {"default/g", 2}}, ""},
      {"another gateway's", {retry}, {{"team/g", 1}, {"default/g", 2}}, ""},
      {"each gateway by itself",
       {retry, {other, shop, {{2, ""}}}},
       {{"team/g", 1}, {"default/g", 2}},
       "Route shop: : is of schema level 2; 1 of 1 connected proxies of Gateway team/g is of level 1 and will refuse "
       "it: "
       "upgrade first\n"},
      {"what the oldest stumbles over first",
       {both},
       {{"default/g", 1}, {"default/g", 2}},
       "Route shop: spec.rules[0].retry: is of schema level 2; 1 of 2 connected proxies of Gateway g is of level 1 and "
       "will refuse it: upgrade first\n"},
      {"what it does not know",
       {both},
       {{"default/g", 2}, {"default/g", 3}},
       "Route shop: spec.rules[0].future: is of schema level 3; 1 of 2 connected proxies of Gateway g is of level 2 "
       "and "
       "will refuse it: upgrade first\n"},
  };
  for (const auto& row : kRows) {
    std::vector<fleet::SharedProxy> proxies;
    for (const Proxy& one : row.proxies) {
      portico::v1::Proxy proxy;
      proxy.set_gateway(one.gateway);
      proxy.set_schema_level(one.level);
      proxy.set_connected(one.connected);
      proxies.push_back(std::make_shared<const portico::v1::Proxy>(proxy));
    }
    std::string text;
    for (const change::Warning& warning : OldProxies(row.needs, proxies))
      text += base::Concat(warning.key.ToString(), ": ", warning.path, ": ", warning.message, "\n");
    EXPECT_EQ(text, row.warnings) << row.name;
  }
}

}  // namespace
}  // namespace portico::north
