#include "api/check/configuration.h"

#include <string>
#include <vector>

#include "api/base/shared_map.h"
#include "api/base/text.h"
#include "api/check/resource_key.h"
#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

portico::v1::Resource Parse(const std::string& text) {
  yaml::Problems problems(10);
  const std::vector<yaml::Document> documents = yaml::ReadText(text, "f", yaml::Limits(), problems);
  EXPECT_EQ(problems.ToString(), "");
  return documents.at(0).resource;
}

portico::v1::Resource Route(const std::string& name, const std::string& cluster) {
  return Parse(base::Concat("kind: Route\nmetadata: {name: ", name,
                            "}\nspec: {parentRefs: [{name: g}], rules: [{backendRefs: [{name: ", cluster, "}]}]}"));
}

std::string Names(const std::vector<ResourceKey>& keys) {
  std::vector<std::string> names;
  for (const ResourceKey& key : keys)
    names.push_back(key.ToString());
  return base::Join(names, ", ");
}

std::string Differences(const Configuration& before, const Configuration& after) {
  std::vector<std::string> names;
  base::Compare(before.resources(), after.resources(),
                [&names](const ResourceKey& key, const SharedResource*, const SharedResource*) {
                  names.push_back(key.ToString());
                });
  return base::Join(names, ", ");
}

const ResourceKey kGateway{"Gateway", "default", "g"}, kOne{"Cluster", "default", "one"},
    kTwo{"Cluster", "default", "two"};

TEST(Configuration, KnowsWhoRefersToWhom) {
  Configuration configuration;
  EXPECT_TRUE(configuration.Add(Route("b", "one")));
  EXPECT_FALSE(configuration.Add(Route("b", "two")));
  configuration.Put(Route("a", "one"));
  configuration.Put(Parse("kind: AuthPolicy\nmetadata: {name: p}\nspec: {targetRefs: [{kind: Gateway, name: g}]}"));
  EXPECT_EQ(Names(configuration.Referrers(kGateway)), "AuthPolicy p, Route a, Route b");
  EXPECT_EQ(Names(configuration.Referrers(kGateway, "Route")), "Route a, Route b");
  EXPECT_EQ(Names(configuration.Referrers(kGateway, "AuthPolicy")), "AuthPolicy p");
  EXPECT_EQ(Names(configuration.Referrers(kOne)), "Route a, Route b");
  EXPECT_EQ(Names(configuration.Referrers(kTwo)), "");

  const Configuration old = configuration;
  configuration.Put(Route("a", "two"));
  EXPECT_TRUE(configuration.Remove({"Route", "default", "b"}));
  EXPECT_FALSE(configuration.Remove({"Route", "default", "b"}));
  EXPECT_EQ(Names(configuration.Referrers(kGateway)), "AuthPolicy p, Route a");
  EXPECT_EQ(Names(configuration.Referrers(kOne)), "");
  EXPECT_EQ(Names(configuration.Referrers(kTwo)), "Route a");
  EXPECT_EQ(Names(old.Referrers(kOne)), "Route a, Route b") << "a copy is of its own time";
  EXPECT_EQ(Differences(old, configuration), "Route a, Route b");
}

TEST(Configuration, WalksAKindOrANamespaceOfIt) {
  Configuration configuration;
  for (const char* name :
       {"{name: a}", "{name: b, namespace: n}", "{name: c, namespace: n}", "{name: d, namespace: o}"})
    configuration.Put(Parse(base::Concat("kind: Cluster\nmetadata: ", name, "\nspec: {}")));
  configuration.Put(Route("r", "a"));
  const auto walk = [&configuration](std::string_view kind, std::string_view name_space) {
    std::vector<ResourceKey> keys;
    configuration.ForEach(kind, name_space,
                          [&](const ResourceKey& key, const SharedResource&) { keys.push_back(key); });
    return Names(keys);
  };
  EXPECT_EQ(walk("Cluster", ""), "Cluster a, Cluster n/b, Cluster n/c, Cluster o/d");
  EXPECT_EQ(walk("Cluster", "n"), "Cluster n/b, Cluster n/c");
  EXPECT_EQ(walk("Route", ""), "Route r");
  EXPECT_EQ(walk("Composition", ""), "");
  EXPECT_EQ(walk("Clus", ""), "");
}

}  // namespace
}  // namespace portico::check
