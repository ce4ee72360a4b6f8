#include "dataplane/upstream/build_cluster_config.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"

namespace portico::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const check::ResourceKey kKey{"Cluster", "default", "orders"};
const check::ResourceKey kCa{"Secret", "default", "ca"};

portico::v1::Resource Orders() {
  portico::v1::Resource resource;
  auto* cluster = resource.mutable_cluster();
  cluster->mutable_metadata()->set_name("orders");
  cluster->mutable_metadata()->set_namespace_("default");
  for (const std::string_view address : {"127.0.0.1", "::1"}) {
    auto* endpoint = cluster->mutable_spec()->add_endpoints();
    endpoint->set_address(std::string(address));
    endpoint->set_port(9001);
  }
  return resource;
}

portico::v1::Resource Ca(std::string_view pem) {
  portico::v1::Resource resource;
  resource.mutable_secret()->mutable_metadata()->set_name("ca");
  resource.mutable_secret()->mutable_metadata()->set_namespace_("default");
  resource.mutable_secret()->mutable_spec()->mutable_ca_certificates()->set_inline_(std::string(pem));
  return resource;
}

TEST(BuildClusterConfigTest, WhatIsNotWrittenHasTheDocumentedDefault) {
  check::Configuration configuration;
  ASSERT_TRUE(configuration.Add(Orders()));
  const auto config = BuildClusterConfig(kKey, configuration, {kKey});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ((*config)->name, "default/orders");
  ASSERT_EQ((*config)->endpoints.size(), 2u);
  EXPECT_EQ((*config)->endpoints[1].ToString(), "[::1]:9001");
  EXPECT_EQ((*config)->protocol, ClusterConfig::Protocol::kHttp1);
  EXPECT_EQ((*config)->connect_timeout, seconds(1));
  EXPECT_EQ((*config)->idle_connections_max, 256u);
  EXPECT_EQ((*config)->connection_idle_timeout, seconds(50));
  EXPECT_EQ((*config)->security, nullptr);
  EXPECT_EQ((*config)->security_identity, "");
}

TEST(BuildClusterConfigTest, WhatIsWrittenCounts) {
  portico::v1::Resource resource = Orders();
  auto* spec = resource.mutable_cluster()->mutable_spec();
  spec->set_protocol(portico::v1::UPSTREAM_PROTOCOL_HTTP2);
  spec->mutable_connect_timeout()->set_nanos(250'000'000);
  spec->mutable_pool()->set_max_idle_connections(0);
  spec->mutable_pool()->mutable_idle_timeout()->set_seconds(7);
  spec->mutable_tls()->set_hostname("orders.internal");
  check::Configuration configuration;
  ASSERT_TRUE(configuration.Add(resource));
  const auto config = BuildClusterConfig(kKey, configuration, {kKey});
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->protocol, ClusterConfig::Protocol::kHttp2);
  EXPECT_EQ((*config)->connect_timeout, milliseconds(250));
  EXPECT_EQ((*config)->idle_connections_max, 0u);
  EXPECT_EQ((*config)->connection_idle_timeout, seconds(7));
  EXPECT_NE((*config)->security, nullptr);
  EXPECT_EQ((*config)->security_identity, "orders.internal\nthe system's authorities");
}

// Without its authorities a cluster is not asked at all.
TEST(BuildClusterConfigTest, AuthoritiesThatAreNotThereAreRefused) {
  struct Row {
    std::string_view name, pem, said;
    bool there, reached;
  };
  const Row rows[] = {{"no such Secret", "", "is not there", false, false},
                      {"not granted", "x", "may not be used", true, false},
                      {"another kind of Secret", "", "has no caCertificates", true, true},
                      {"no certificates", "hello", "spec.tls.caCertificateRefs", true, true}};
  for (const Row& row : rows) {
    portico::v1::Resource resource = Orders();
    resource.mutable_cluster()->mutable_spec()->mutable_tls()->set_hostname("orders.internal");
    resource.mutable_cluster()->mutable_spec()->mutable_tls()->add_ca_certificate_refs()->set_name("ca");
    check::Configuration configuration;
    ASSERT_TRUE(configuration.Add(resource));
    if (row.there) ASSERT_TRUE(configuration.Add(Ca(row.pem)));
    std::set<check::ResourceKey> reach{kKey};
    if (row.reached) reach.insert(kCa);
    const auto config = BuildClusterConfig(kKey, configuration, reach);
    ASSERT_FALSE(config.ok()) << row.name;
    EXPECT_NE(base::ToStd(config.status().message()).find(row.said), std::string_view::npos)
        << row.name << ": " << config.status();
  }
}

}  // namespace
}  // namespace portico::upstream
