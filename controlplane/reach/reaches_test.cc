#include "controlplane/reach/reaches.h"

#include <string>
#include <vector>

#include "api/base/text.h"
#include "api/envoy/service/discovery/v3/discovery.pb.h"
#include "api/portico/v1/revision.pb.h"
#include "api/portico/v1/route.pb.h"
#include "api/wire/names.h"
#include "controlplane/model/encoding.h"
#include "controlplane/model/test_resources.h"
#include "gtest/gtest.h"

namespace portico::reach {
namespace {

using base::Concat;

constexpr char kTwoGateways[] = R"(
kind: Gateway
metadata: {name: a}
spec: {listeners: [{name: http, port: 80, protocol: HTTP}]}
---
kind: Gateway
metadata: {name: b}
spec: {listeners: [{name: http, port: 81, protocol: HTTP}]}
---
kind: Cluster
metadata: {name: of-a}
spec: {endpoints: [{address: 127.0.0.1, port: 1}]}
---
kind: Cluster
metadata: {name: of-both}
spec: {endpoints: [{address: 127.0.0.1, port: 2}]}
---
kind: Route
metadata: {name: a}
spec: {parentRefs: [{name: a}], rules: [{backendRefs: [{name: of-a}, {name: of-both}]}]}
---
kind: Route
metadata: {name: b}
spec: {parentRefs: [{name: b}], rules: [{backendRefs: [{name: of-both}]}]}
---
kind: Secret
metadata: {name: unused}
spec: {jwks: {inline: '{}'}}
)";

class ReachesTest : public testing::Test {
 protected:
  ReachesTest() {
    model_.epoch = "e";
    Write(kTwoGateways);
  }

  // Writes resources as one revision; "-Kind name" deletes. Says whose sets changed, and what of them.
  std::string Write(const std::string& text) {
    ++model_.revision;
    std::vector<model::ResourceChange> changes;
    if (text.starts_with("-")) {
      const size_t space = text.find(' ');
      const check::ResourceKey key{text.substr(1, space - 1), "default", text.substr(space + 1)};
      EXPECT_TRUE(model_.configuration.Remove(key));
      changes.push_back({key, model::ChangeKind::kDeleted});
    } else {
      for (portico::v1::Resource& resource : test::ReadResources(text)) {
        const check::ResourceKey key = check::KeyOf(resource);
        portico::v1::Metadata& metadata = model::MutableMetadata(resource);
        metadata.set_revision(model_.revision);
        metadata.set_creation_revision(model_.revision);
        model_.configuration.Put(std::move(resource));
        changes.push_back({key, model::ChangeKind::kUpdated});
      }
    }
    model::ResolveGateways(&model_, model_);
    if (reaches_ == nullptr) {
      reaches_ = std::make_unique<Reaches>(model_);
      return "";
    }
    std::string told;
    for (const SetStep& step : reaches_->Advance(model_, changes)) {
      told += step.set->gateway().name + ":";
      for (const auto& [type, name] : step.changed) {
        told += Concat(" ", type.substr(wire::kTypePrefix.size()), " ", name.substr(name.find('/') + 1));
      }
      told += "; ";
    }
    return told;
  }

  const GatewaySet& Of(const std::string& name) { return reaches_->Of({"Gateway", "default", name}); }

  // "Cluster of-a@e.1 …".
  std::string All(const std::string& gateway) {
    std::string text;
    for (const std::string& type : wire::ResourceTypes()) {
      for (const auto& [name, item] : Of(gateway).OfType(type)) {
        text += Concat(type.substr(wire::kTypePrefix.size()), " ", name.substr(8), "@", item.version, " ");
      }
    }
    return text;
  }

  model::Model model_;
  std::unique_ptr<Reaches> reaches_;
};

TEST_F(ReachesTest, AGatewayGetsWhatItReachesAndNoMore) {
  EXPECT_EQ(All("a"), "Cluster of-a@e.1 Cluster of-both@e.1 Gateway a@e.1 Route a@e.1 ");
  EXPECT_EQ(All("b"), "Cluster of-both@e.1 Gateway b@e.1 Route b@e.1 ");
  EXPECT_EQ(All("nobody"), "");
}

TEST_F(ReachesTest, AStepConcernsWhoReachesIt) {
  const std::string digest = Of("b").digest();
  EXPECT_EQ(Write("kind: Cluster\nmetadata: {name: of-a}\nspec: {endpoints: [{address: 127.0.0.1, port: 3}]}"),
            "a: Cluster of-a; ");
  EXPECT_EQ(Of("a").revision(), 2u);
  EXPECT_EQ(Of("b").revision(), 1u);
  EXPECT_EQ(Of("b").digest(), digest);
  EXPECT_EQ(Write("kind: Cluster\nmetadata: {name: of-both}\nspec: {endpoints: [{address: 127.0.0.1, port: 3}]}"),
            "a: Cluster of-both; b: Cluster of-both; ");
  EXPECT_EQ(Write("kind: Secret\nmetadata: {name: unused}\nspec: {jwks: {inline: '{\"keys\":[]}'}}"), "");
  EXPECT_EQ(Write("kind: Route\nmetadata: {name: a}\nspec: {parentRefs: [{name: a}], rules: [{backendRefs: [{name: "
                  "of-both}]}]}"),
            "a: Cluster of-a Route a; ");
  EXPECT_EQ(All("a"), "Cluster of-both@e.3 Gateway a@e.1 Route a@e.5 ");
}

TEST_F(ReachesTest, AGatewayComesAndGoes) {
  EXPECT_EQ(All("c"), "");
  EXPECT_EQ(Write("kind: Gateway\nmetadata: {name: c}\nspec: {listeners: [{name: http, port: 82, protocol: HTTP}]}"),
            "c: Gateway c; ");
  EXPECT_EQ(Write("-Gateway b"), "b: Cluster of-both Gateway b Route b; ");
  EXPECT_EQ(All("b"), "");
  EXPECT_FALSE(Of("b").known());
  EXPECT_TRUE(Of("a").known());
  EXPECT_FALSE(Of("nobody").known());
  EXPECT_EQ(Of("b").digest(), std::string(32, '0'));
}

TEST_F(ReachesTest, WhatNobodyAsksForIsForgotten) {
  const size_t before = reaches_->size();
  Of("nobody");
  EXPECT_EQ(reaches_->size(), before + 1);
  reaches_->Forget({"Gateway", "default", "nobody"});
  reaches_->Forget({"Gateway", "default", "never-was"});
  reaches_->Forget({"Gateway", "default", "a"});  // is there
  EXPECT_EQ(reaches_->size(), before);
  EXPECT_NE(All("a"), "");
  Write("-Gateway b");
  reaches_->Forget({"Gateway", "default", "b"});
  EXPECT_EQ(reaches_->size(), before - 1);
}

TEST_F(ReachesTest, TheDigestIsOfWhatIsThereHoweverItCame) {
  Write("kind: Cluster\nmetadata: {name: of-a}\nspec: {endpoints: [{address: 127.0.0.1, port: 3}]}");
  EXPECT_EQ(Reaches(model_).Of({"Gateway", "default", "a"}).digest(), Of("a").digest());
  EXPECT_NE(Of("a").digest(), Of("b").digest());
}

// An older proxy would refuse the field, and none has a use for it.
TEST_F(ReachesTest, WhoseAResourceIsDoesNotTravel) {
  Write(
      "kind: Route\nmetadata: {name: a, manager: ci}\nspec: {parentRefs: [{name: a}], rules: [{backendRefs: [{name: "
      "of-both}]}]}");
  envoy::service::discovery::v3::DeltaDiscoveryResponse response;
  ASSERT_TRUE(response.ParseFromString(*Of("a").OfType(wire::TypeUrl("Route")).at("default/a").field));
  portico::v1::Route route;
  ASSERT_TRUE(response.resources(0).resource().UnpackTo(&route));
  EXPECT_EQ(route.metadata().name(), "a");
  EXPECT_EQ(route.metadata().manager(), "");
  EXPECT_EQ(route.metadata().revision(), model_.revision);
}

TEST_F(ReachesTest, WhoMayWriteDoesNotTravel) {
  EXPECT_EQ(Write(Concat("kind: Token\nmetadata: {name: t}\nspec: {sha256: ", std::string(64, 'a'), "}")), "");
  EXPECT_EQ(Write("kind: Role\nmetadata: {name: r}\nspec: {role: Viewer, subjects: [{token: t}]}"), "");
}

TEST_F(ReachesTest, AFieldIsAWholeResourceOfAResponse) {
  envoy::service::discovery::v3::DeltaDiscoveryResponse response;
  ASSERT_TRUE(response.ParseFromString(*Of("a").OfType(wire::TypeUrl("Route")).at("default/a").field +
                                       *Of("a").mark().at("default/a").field));
  ASSERT_EQ(response.resources_size(), 2);
  portico::v1::Route route;
  ASSERT_TRUE(response.resources(0).resource().UnpackTo(&route));
  EXPECT_EQ(route.metadata().creation_revision(), 1u);
  portico::v1::Revision mark;
  ASSERT_TRUE(response.resources(1).resource().UnpackTo(&mark));
  ASSERT_EQ(mark.types_size(), 3);
  EXPECT_EQ(mark.types(0).type_url(), wire::TypeUrl("Cluster"));
  EXPECT_EQ(mark.types(0).count(), 2u);
  EXPECT_EQ(mark.epoch(), "e");
  EXPECT_EQ(response.resources(1).version(), Of("a").digest());
}

}  // namespace
}  // namespace portico::reach
