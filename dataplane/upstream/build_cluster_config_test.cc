#include "dataplane/upstream/build_cluster_config.h"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/base/text.h"
#include "api/portico/v1/resource.pb.h"
#include "api/resolve/grants.h"
#include "test/support/key_material.h"

namespace portico::upstream {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const check::ResourceKey kKey{"Cluster", "default", "orders"};

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

portico::v1::Resource Ca(const std::string& name_space, std::string_view pem) {
  portico::v1::Resource resource;
  resource.mutable_secret()->mutable_metadata()->set_name("ca");
  resource.mutable_secret()->mutable_metadata()->set_namespace_(name_space);
  resource.mutable_secret()->mutable_spec()->mutable_ca_certificates()->set_inline_(std::string(pem));
  return resource;
}

TEST(BuildClusterConfigTest, WhatIsNotWrittenHasTheDocumentedDefault) {
  check::Configuration configuration;
  ASSERT_TRUE(configuration.Add(Orders()));
  resolve::Grants grants(configuration);
  const auto config = BuildClusterConfig(kKey, configuration, grants);
  ASSERT_TRUE(config.ok());
  EXPECT_EQ((*config)->name, "default/orders");
  ASSERT_EQ((*config)->endpoints.size(), 2u);
  EXPECT_EQ((*config)->endpoints[1].address.ToString(), "[::1]:9001");
  EXPECT_FALSE((*config)->named.has_value());
  EXPECT_EQ((*config)->protocol, ClusterConfig::Protocol::kHttp1);
  EXPECT_EQ((*config)->connect_timeout, seconds(1));
  EXPECT_EQ((*config)->idle_connections_max, 256u);
  EXPECT_EQ((*config)->connection_idle_timeout, seconds(50));
  EXPECT_EQ((*config)->balancer, balancer::Kind::kRoundRobin);
  EXPECT_EQ((*config)->endpoints[0].weight, 1u);
  EXPECT_EQ((*config)->connections_max, 8192u);
  EXPECT_EQ((*config)->pending_max, 8192u);
  EXPECT_EQ((*config)->requests_max, std::nullopt);
  EXPECT_EQ((*config)->ejection, std::nullopt);
  EXPECT_EQ((*config)->retry_constraint.percent, 20u);
  EXPECT_EQ((*config)->retry_constraint.per_second_min, 10u);
  EXPECT_EQ((*config)->security, nullptr);
  EXPECT_EQ((*config)->security_identity, "");
}

TEST(BuildClusterConfigTest, ANameInsteadOfEndpoints) {
  portico::v1::Resource resource = Orders();
  resource.mutable_cluster()->mutable_spec()->clear_endpoints();
  resource.mutable_cluster()->mutable_spec()->mutable_dns()->set_hostname("orders.internal");
  resource.mutable_cluster()->mutable_spec()->mutable_dns()->set_port(9001);
  check::Configuration configuration;
  ASSERT_TRUE(configuration.Add(resource));
  resolve::Grants grants(configuration);
  const auto config = BuildClusterConfig(kKey, configuration, grants);
  ASSERT_TRUE(config.ok());
  EXPECT_TRUE((*config)->endpoints.empty());
  ASSERT_TRUE((*config)->named.has_value());
  EXPECT_EQ((*config)->named->hostname, "orders.internal");
  EXPECT_EQ((*config)->named->port, 9001);
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
  resolve::Grants grants(configuration);
  const auto config = BuildClusterConfig(kKey, configuration, grants);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->protocol, ClusterConfig::Protocol::kHttp2);
  EXPECT_EQ((*config)->connect_timeout, milliseconds(250));
  EXPECT_EQ((*config)->idle_connections_max, 0u);
  EXPECT_EQ((*config)->connection_idle_timeout, seconds(7));
  EXPECT_NE((*config)->security, nullptr);
  EXPECT_EQ((*config)->security_identity, "orders.internal\nthe system's authorities");
}

TEST(BuildClusterConfigTest, WhatIsWrittenOfBalancingCounts) {
  portico::v1::Resource resource = Orders();
  auto* spec = resource.mutable_cluster()->mutable_spec();
  spec->mutable_endpoints(0)->set_weight(0);
  spec->mutable_endpoints(1)->set_weight(1000);
  spec->mutable_load_balancer()->set_type(portico::v1::LOAD_BALANCER_TYPE_LEAST_REQUEST);
  spec->mutable_limits()->set_connections(3);
  spec->mutable_limits()->set_pending(0);
  spec->mutable_limits()->set_requests(7);
  spec->mutable_ejection()->set_max_ejected_percent(0);
  check::Configuration configuration;
  ASSERT_TRUE(configuration.Add(resource));
  resolve::Grants grants(configuration);
  auto config = BuildClusterConfig(kKey, configuration, grants);
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ((*config)->endpoints[0].weight, 0u);
  EXPECT_EQ((*config)->endpoints[1].weight, 1000u);
  EXPECT_EQ((*config)->balancer, balancer::Kind::kLeastRequest);
  EXPECT_EQ((*config)->connections_max, 3u);
  EXPECT_EQ((*config)->pending_max, 0u);
  EXPECT_EQ((*config)->requests_max, 7u);
  outlier::EjectionRules rules = {.max_ejected_percent = 0};
  EXPECT_EQ((*config)->ejection, rules) << "the others are the documented defaults";
  EXPECT_EQ(rules.consecutive_failures, 5u);
  EXPECT_EQ(rules.base_time, seconds(30));
  EXPECT_EQ(rules.max_time, seconds(300));

  auto* ejection = spec->mutable_ejection();
  ejection->set_consecutive_failures(2);
  ejection->mutable_base_time()->set_seconds(1);
  ejection->mutable_max_time()->set_seconds(9);
  ejection->set_max_ejected_percent(100);
  check::Configuration other;
  ASSERT_TRUE(other.Add(resource));
  resolve::Grants other_grants(other);
  config = BuildClusterConfig(kKey, other, other_grants);
  ASSERT_TRUE(config.ok()) << config.status();
  rules = {.consecutive_failures = 2, .base_time = seconds(1), .max_time = seconds(9), .max_ejected_percent = 100};
  EXPECT_EQ((*config)->ejection, rules);
}

portico::v1::Resource Grant(const std::string& kind, const std::string& name_space, const std::string& to = "Secret") {
  portico::v1::Resource resource;
  resource.mutable_reference_grant()->mutable_metadata()->set_name("grant");
  resource.mutable_reference_grant()->mutable_metadata()->set_namespace_("keys");
  auto* spec = resource.mutable_reference_grant()->mutable_spec();
  spec->add_from()->set_kind(kind);
  spec->mutable_from(0)->set_namespace_(name_space);
  spec->add_to()->set_kind(to);
  return resource;
}

// What may not be looked at is refused; what is not there is nobody to ask.
TEST(BuildClusterConfigTest, EndpointsThatAreListedElsewhere) {
  struct Row {
    std::string_view name, name_space, said;
    std::vector<std::string> endpoints;
    std::vector<portico::v1::Resource> others;
  };
  const auto list = [](const std::string& name_space) {
    portico::v1::Resource resource;
    resource.mutable_endpoints()->mutable_metadata()->set_name("list");
    resource.mutable_endpoints()->mutable_metadata()->set_namespace_(name_space);
    for (const uint32_t port : {7, 8}) {
      auto* endpoint = resource.mutable_endpoints()->mutable_spec()->add_endpoints();
      endpoint->set_address("10.0.0.1");
      endpoint->set_port(port);
      if (port == 8) endpoint->set_weight(3);
    }
    return resource;
  };
  const std::vector<std::string> both = {"10.0.0.1:7 1", "10.0.0.1:8 3"};
  const Row rows[] = {
      {"here", "default", "", both, {list("default")}},
      {"not there", "default", "", {}, {}},
      {"elsewhere, granted", "keys", "", both, {list("keys"), Grant("Cluster", "default", "Endpoints")}},
      {"elsewhere, not granted",
       "keys",
       "spec.endpointsFrom: Endpoints keys/list is in another namespace",
       {},
       {list("keys")}},
      {"elsewhere, another kind granted",
       "keys",
       "spec.endpointsFrom: ",
       {},
       {list("keys"), Grant("Cluster", "default")}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    portico::v1::Resource resource = Orders();
    auto* spec = resource.mutable_cluster()->mutable_spec();
    spec->clear_endpoints();
    spec->mutable_endpoints_from()->set_name("list");
    spec->mutable_endpoints_from()->set_namespace_(std::string(row.name_space));
    check::Configuration configuration;
    ASSERT_TRUE(configuration.Add(resource));
    for (const portico::v1::Resource& other : row.others)
      ASSERT_TRUE(configuration.Add(other));
    resolve::Grants grants(configuration);
    const auto config = BuildClusterConfig(kKey, configuration, grants);
    ASSERT_EQ(config.ok(), row.said.empty()) << config.status();
    EXPECT_NE(base::ToStd(config.status().message()).find(row.said), std::string_view::npos) << config.status();
    std::vector<std::string> endpoints;
    if (config.ok()) {
      for (const ConfiguredEndpoint& endpoint : (*config)->endpoints)
        endpoints.push_back(base::Concat(endpoint.address.ToString(), " ", endpoint.weight));
    }
    EXPECT_EQ(endpoints, row.endpoints);
  }
}

// Without its authorities a cluster is not asked at all. What others may refer to is nothing to this Cluster.
TEST(BuildClusterConfigTest, AuthoritiesAreThoseThatTheClusterMayReferTo) {
  struct Row {
    std::string_view name, name_space, pem, said;
    std::vector<portico::v1::Resource> others;
  };
  const std::string_view good = test::k_root_certificate;
  const Row rows[] = {
      {"no such Secret", "default", "", "Secret ca is not there", {}},
      {"its own namespace", "default", good, "", {Ca("default", good)}},
      {"another kind of Secret", "default", "", "has no caCertificates", {Ca("default", "")}},
      {"no certificates", "default", "hello", "spec.tls.caCertificateRefs", {Ca("default", "hello")}},
      {"not granted", "keys", good, "may not be used", {Ca("keys", good)}},
      {"granted", "keys", good, "", {Ca("keys", good), Grant("Cluster", "default")}},
      {"granted to Gateways", "keys", good, "may not be used", {Ca("keys", good), Grant("Gateway", "default")}},
      {"granted elsewhere", "keys", good, "may not be used", {Ca("keys", good), Grant("Cluster", "other")}},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.name);
    portico::v1::Resource resource = Orders();
    auto* tls = resource.mutable_cluster()->mutable_spec()->mutable_tls();
    tls->set_hostname("orders.internal");
    tls->add_ca_certificate_refs()->set_name("ca");
    if (row.name_space != "default") tls->mutable_ca_certificate_refs(0)->set_namespace_(std::string(row.name_space));
    check::Configuration configuration;
    ASSERT_TRUE(configuration.Add(resource));
    for (const portico::v1::Resource& other : row.others)
      ASSERT_TRUE(configuration.Add(other));
    resolve::Grants grants(configuration);
    const auto config = BuildClusterConfig(kKey, configuration, grants);
    ASSERT_EQ(config.ok(), row.said.empty()) << config.status();
    EXPECT_NE(base::ToStd(config.status().message()).find(row.said), std::string_view::npos) << config.status();
  }
}

}  // namespace
}  // namespace portico::upstream
