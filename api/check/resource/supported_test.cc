#include "api/check/resource/supported.h"

#include <string>
#include <vector>

#include "api/yaml/limits.h"
#include "api/yaml/problem.h"
#include "api/yaml/read.h"
#include "gtest/gtest.h"

namespace portico::check {
namespace {

// "Kind name: path message" of everything that is refused.
std::vector<std::string> Refused(const std::string& text, bool system_fields) {
  yaml::Problems problems(100);
  std::vector<std::string> refused;
  for (const yaml::Document& document : yaml::ReadText(text, "f", yaml::Limits(), problems)) {
    for (const Violation& violation : CheckSupported(document.resource, system_fields)) {
      refused.push_back(violation.key.ToString() + ": " + violation.path + " " + violation.message);
    }
  }
  return refused;
}

TEST(CheckSupported, NamesTheField) {
  using List = std::vector<std::string>;
  EXPECT_EQ(Refused("kind: Route\nmetadata: {name: r, creationRevision: 4}\n", false),
            List{"Route r: metadata.creationRevision is written by the system alone; leave it out"});
  EXPECT_EQ(Refused("kind: Route\nmetadata: {name: r, creationRevision: 4}\n", true), List{});
  EXPECT_EQ(
      Refused("kind: Route\nmetadata: {name: r, namespace: n}\nspec: {rules: [{}, {filters: [{externalAuth: {}}]}]}\n",
              false),
      List{"Route n/r: spec.rules[1].filters[0].externalAuth is not supported yet"});
}

TEST(CheckSupported, RefusesWhatItDoesNotKnow) {
  portico::v1::Resource resource;
  EXPECT_EQ(CheckSupported(resource, false).at(0).path, "kind");
  auto& spec = *resource.mutable_cluster()->mutable_spec();
  spec.set_protocol(static_cast<portico::v1::UpstreamProtocol>(99));
  EXPECT_EQ(CheckSupported(resource, false).at(0).path, "spec.protocol");
  spec.clear_protocol();
  spec.GetReflection()->MutableUnknownFields(&spec)->AddVarint(900, 1);
  EXPECT_EQ(CheckSupported(resource, false).at(0).path, "spec");
}

TEST(Configuration, IsIndexedByKey) {
  portico::v1::Resource resource;
  resource.mutable_cluster()->mutable_metadata()->set_name("a");
  Configuration configuration;
  EXPECT_TRUE(configuration.Add(resource));
  EXPECT_FALSE(configuration.Add(resource));
  EXPECT_NE(configuration.Find({"Cluster", "default", "a"}), nullptr);
  EXPECT_EQ(configuration.Find({"Cluster", "other", "a"}), nullptr);
}

}  // namespace
}  // namespace portico::check
