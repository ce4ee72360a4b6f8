#include "tools/ctl/grpc_client.h"

#include <grpcpp/grpcpp.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>

#include "api/base/text.h"
#include "api/portico/v1/config_service.grpc.pb.h"
#include "controlplane/change/changes.h"
#include "controlplane/change/codec.h"
#include "controlplane/fleet/fleet.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/north/config_service.h"
#include "controlplane/north/fleet_service.h"
#include "controlplane/north/writer.h"
#include "controlplane/store/memory/memory_store.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace portico::ctl {
namespace {

using portico::v1::ListProxiesResponse;

constexpr int64_t kPatienceMs = 60'000;  // a bound for what hangs; nothing waits for it

class GrpcClientTest : public testing::Test {
 protected:
  GrpcClientTest() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterService(&config_);
    builder.RegisterService(&fleet_service_);
    server_ = builder.BuildAndStart();
  }
  ~GrpcClientTest() override { Stop(); }

  void Stop() {
    config_.End();
    fleet_service_.End();
    server_->Shutdown();
    server_->Wait();
  }
  std::unique_ptr<ApiClient> Client(int64_t timeout_ms = kPatienceMs) const {
    return MakeGrpcClient({base::Concat("127.0.0.1:", port_), std::nullopt, timeout_ms});
  }
  static Answer<portico::v1::ApplyResponse> Apply(ApiClient& client, const std::string& text) {
    std::vector<portico::v1::ApplyRequest> requests;
    for (const portico::v1::Resource& resource : test::ReadResources(text))
      *requests.emplace_back().add_resources() = resource;
    return client.Apply(requests);
  }

  const test::AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return int64_t{1'000'000}; }, {100});
  north::Writer writer_;
  fleet::Fleet fleet_{[] { return int64_t{1}; }};
  const north::Gatekeeper gatekeeper_{*changes_, {}};
  north::ConfigService config_{*changes_, gatekeeper_, writer_};
  north::FleetService fleet_service_{fleet_, gatekeeper_};
  std::unique_ptr<grpc::Server> server_;
  int port_ = 0;
};

const char kCluster[] = "kind: Cluster\nmetadata: {name: orders}\nspec: {endpoints: [{address: 127.0.0.1, port: 1}]}\n";
const char kRoute[] = "---\nkind: Route\nmetadata: {name: shop}\nspec: {rules: [{backendRefs: [{name: orders}]}]}\n";

TEST_F(GrpcClientTest, EveryCall) {
  const auto client = Client();
  const auto applied = Apply(*client, std::string(kCluster) + kRoute);
  ASSERT_TRUE(applied.ok()) << applied.status;
  EXPECT_EQ(applied.response.revision(), 1u);
  EXPECT_EQ(client->List({}).response.resources_size(), 2);
  EXPECT_EQ(client->History({}).response.revisions_size(), 1);
  portico::v1::GetRequest get;
  get.mutable_name()->set_kind("Cluster");
  get.mutable_name()->set_name("orders");
  EXPECT_TRUE(client->Get(get).response.resource().has_cluster());
  portico::v1::RollbackRequest rollback;
  rollback.set_revision(1);
  EXPECT_TRUE(client->Rollback(rollback).ok());
  EXPECT_TRUE(client->ListProxies({}).ok());
}

TEST_F(GrpcClientTest, NoProxyOfTheEnvironmentIsAsked) {
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy"})
    ASSERT_EQ(setenv(name, "http://127.0.0.1:1", 1), 0);
  EXPECT_TRUE(Client()->List({}).ok());
  for (const char* name : {"http_proxy", "https_proxy", "grpc_proxy"})
    unsetenv(name);
}

TEST_F(GrpcClientTest, Violations) {
  const auto client = Client();
  const auto dangling = Apply(*client, kRoute);
  EXPECT_EQ(dangling.status.code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(dangling.violations.size(), 1u);
  EXPECT_EQ(dangling.violations[0].resource, "Route default/shop");
  EXPECT_EQ(dangling.violations[0].path, "spec.rules[0].backendRefs[0].name");
  EXPECT_NE(dangling.violations[0].message, "");
  ASSERT_TRUE(Apply(*client, std::string(kCluster) + kRoute).ok());
  portico::v1::DeleteRequest request;
  request.add_names()->set_kind("Cluster");
  request.mutable_names(0)->set_name("orders");
  EXPECT_EQ(client->Delete(request).violations.size(), 1u);
}

TEST_F(GrpcClientTest, AWatchEndsWhenTheCallerOrTheTimeSaysSo) {
  int count = 0;
  EXPECT_TRUE(Client()->WatchProxies({}, [&](const ListProxiesResponse&) { return ++count < 1; }).ok());
  EXPECT_EQ(count, 1);
  const auto client = Client();
  const absl::Status ended = client->WatchProxies({}, [&](const ListProxiesResponse&) {
    fleet_service_.End();
    return true;
  });
  EXPECT_EQ(ended.code(), absl::StatusCode::kUnavailable);
}

TEST_F(GrpcClientTest, AWatchOfTheConfiguration) {
  const auto client = Client();
  ASSERT_TRUE(Apply(*client, kCluster).ok());
  portico::v1::WatchResponse told;
  const auto once = [&](const portico::v1::WatchResponse& response) {
    told = response;
    return false;
  };
  EXPECT_TRUE(client->Watch({}, once).ok());
  EXPECT_EQ(told.revision(), 1u);
  EXPECT_EQ(told.resources_size(), 1);
  portico::v1::WatchRequest other;
  other.set_epoch("other");
  EXPECT_EQ(client->Watch(other, once).code(), absl::StatusCode::kOutOfRange);
}

class CancellingService final : public portico::v1::ConfigService::Service {
  grpc::Status Watch(grpc::ServerContext*, const portico::v1::WatchRequest*,
                     grpc::ServerWriter<portico::v1::WatchResponse>*) override {
    return grpc::Status::CANCELLED;
  }
};

// A server that ends cancels what it can't tell to the end: for us that is a connection that broke.
TEST(GrpcClient, AWatchThatTheServerCancels) {
  CancellingService service;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&service);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto client = MakeGrpcClient({base::Concat("127.0.0.1:", port), std::nullopt, kPatienceMs});
  const auto any = [](const portico::v1::WatchResponse&) { return true; };
  EXPECT_EQ(client->Watch({}, any).code(), absl::StatusCode::kUnavailable);
  server->Shutdown();
  server->Wait();
  const auto late = MakeGrpcClient({base::Concat("127.0.0.1:", port), std::nullopt, 100});
  EXPECT_THAT(std::string(late->Watch({}, any).message()), testing::StartsWith("control plane unreachable at "));
}

TEST_F(GrpcClientTest, Unreachable) {
  Stop();
  const auto answer = Client()->List({});
  EXPECT_EQ(answer.status.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(answer.status.message()),
              testing::StartsWith(base::Concat("control plane unreachable at 127.0.0.1:", port_, ": ")));
}

}  // namespace
}  // namespace portico::ctl
