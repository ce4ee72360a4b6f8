#include "dataplane/admin/dump.h"

#include <gtest/gtest.h>

#include "api/base/arena.h"
#include "api/base/json.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::admin {
namespace {

TEST(DumpTest, TheSnapshotShowsNoSecret) {
  snapshot::Snapshot snapshot;
  snapshot.gateway = "default/shop";
  snapshot.revision = 7;
  v1::Resource secret;
  secret.mutable_secret()->mutable_metadata()->set_name("keys");
  v1::SecretSpec& spec = *secret.mutable_secret()->mutable_spec();
  spec.mutable_tls()->mutable_certificate()->set_inline_("topsecret1");
  spec.mutable_tls()->mutable_private_key()->set_inline_("topsecret2");
  spec.mutable_jwks()->set_inline_("topsecret3");
  spec.mutable_ca_certificates()->set_inline_("topsecret4");
  spec.mutable_hmac_key()->set_inline_("topsecret5");
  ASSERT_TRUE(snapshot.resolved.configuration.Add(secret));
  const std::string page = SnapshotPage(snapshot);
  EXPECT_TRUE(page.starts_with("# gateway default/shop, configuration 7\n---\n")) << page;
  EXPECT_NE(page.find("name: keys"), std::string::npos) << page;
  EXPECT_NE(page.find("(10 bytes, not shown)"), std::string::npos) << page;
  EXPECT_EQ(page.find("topsecret"), std::string::npos) << page;
}

TEST(DumpTest, ClustersAreJson) {
  worker::ClusterState cluster;
  cluster.name = "default/a\"b";
  cluster.calls = 3;
  cluster.endpoints = {{"127.0.0.1:1", true, false, 2}, {"127.0.0.1:2", false, true, 0}};
  base::Arena arena;
  const auto json = base::ParseJson(ClustersPage({cluster, {}}), arena);
  ASSERT_TRUE(json.ok()) << json.status();
  const base::Json& first = json->Find("clusters")->items()[0];
  EXPECT_EQ(first.Find("name")->string(), "default/a\"b");
  EXPECT_EQ(first.Find("calls")->number(), 3);
  EXPECT_TRUE(first.Find("endpoints")->items()[0].Find("resting")->boolean());
  EXPECT_FALSE(first.Find("endpoints")->items()[0].Find("ejected")->boolean());
  EXPECT_TRUE(first.Find("endpoints")->items()[1].Find("ejected")->boolean());
  EXPECT_EQ(first.Find("endpoints")->items().size(), 2u);
  EXPECT_EQ(base::ParseJson(ClustersPage({}), arena)->Find("clusters")->items().size(), 0u);
}

}  // namespace
}  // namespace portico::admin
