#include "controlplane/north/fleet_service.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "api/base/text.h"
#include "controlplane/change/codec.h"
#include "controlplane/model/test_resources.h"
#include "controlplane/store/memory/memory_store.h"
#include "gtest/gtest.h"

namespace portico::north {
namespace {

using base::Concat;
using portico::v1::ListProxiesRequest;
using portico::v1::ListProxiesResponse;

constexpr std::chrono::seconds kPatience(60);  // a bound for what hangs; nothing waits for it

portico::v1::Proxy ProxyOf(const std::string& gateway, const std::string& node) {
  portico::v1::Proxy proxy;
  proxy.set_gateway(gateway);
  proxy.set_node_id(node);
  proxy.set_instance("i");
  return proxy;
}

// "3: edge-1+ edge-2- forgets edge-3/i".
std::string Text(const ListProxiesResponse& response) {
  std::string text = Concat(response.revision(), ":");
  for (const portico::v1::Proxy& proxy : response.proxies())
    text += Concat(" ", proxy.node_id(), proxy.connected() ? "+" : "-");
  for (const std::string& gone : response.gone())
    text += Concat(" forgets ", gone);
  return text;
}

class FleetServiceTest : public testing::Test {
 protected:
  FleetServiceTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    stub_ = portico::v1::FleetService::NewStub(
        grpc::CreateChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  }
  ~FleetServiceTest() override {
    service_.End();
    server_->Shutdown();
  }

  std::string List(const ListProxiesRequest& request) {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    ListProxiesResponse response;
    const grpc::Status status = stub_->ListProxies(&context, request, &response);
    return status.ok() ? Text(response) : status.error_message();
  }
  static std::string Read(grpc::ClientReader<ListProxiesResponse>& reader) {
    ListProxiesResponse response;
    return reader.Read(&response) ? Text(response) : reader.Finish().error_message();
  }

  int64_t now_ = 1;
  fleet::Fleet fleet_{[this] { return now_; }};
  const test::AnyKeyPair key_pairs_;
  const std::unique_ptr<change::Changes> changes_ = *change::Changes::Open(
      store::memory::Open(), change::Codec(std::nullopt), key_pairs_, [] { return int64_t{1}; }, {100});
  const Gatekeeper gatekeeper_{*changes_, {}};
  FleetService service_{fleet_, gatekeeper_};
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<portico::v1::FleetService::Stub> stub_;
};

TEST_F(FleetServiceTest, ListsWhoIsThere) {
  fleet_.OnRevision(3, 1, {});
  fleet_.Join(ProxyOf("default/b", "edge-2"));
  fleet_.Leave(fleet_.Join(ProxyOf("default/a", "edge-1")));
  const struct {
    const char* name;
    std::vector<std::string> gateways;
    const char* answer;
  } kRows[] = {
      {"all", {}, "3: edge-1- edge-2+"},
      {"one", {"default/b"}, "3: edge-2+"},
      {"both", {"default/a", "default/b"}, "3: edge-1- edge-2+"},
      {"nobody's", {"default/c"}, "3:"},
      {"no name", {"b"}, "gateways: `b` is not NAMESPACE/NAME, as in default/edge"},
  };
  for (const auto& row : kRows) {
    ListProxiesRequest request;
    request.mutable_gateways()->Assign(row.gateways.begin(), row.gateways.end());
    EXPECT_EQ(List(request), row.answer) << row.name;
  }
}

TEST_F(FleetServiceTest, AFleetThatDoesNotFitIsRefusedInWords) {
  fleet::Report report{.revision = 1, .refused_reason = std::string(1000, 'x')};
  for (int i = 0; i < 40; ++i)
    report.refusals.emplace_back().set_reason(std::string(1000, 'x'));
  for (int i = 0; i < 100; ++i)
    fleet_.OnReport(fleet_.Join(ProxyOf(i < 50 ? "default/a" : "default/b", Concat("edge-", i))), report);
  EXPECT_EQ(List({}), "too many proxies for one answer: name gateways, or use WatchProxies");
  ListProxiesRequest request;
  request.add_gateways("default/b");
  EXPECT_EQ(List(request).substr(0, 11), "0: edge-50+");
}

TEST_F(FleetServiceTest, AWatchIsToldWhatChanges) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  ListProxiesRequest request;
  request.add_gateways("default/a");
  const auto reader = stub_->WatchProxies(&context, request);
  EXPECT_EQ(Read(*reader), "0:");
  fleet_.Join(ProxyOf("default/b", "another"));
  const uint64_t stream = fleet_.Join(ProxyOf("default/a", "edge"));
  EXPECT_EQ(Read(*reader), "0: edge+");
  fleet_.OnRevision(4, 1, {});
  EXPECT_EQ(Read(*reader), "4:");
  fleet_.Leave(stream);
  EXPECT_EQ(Read(*reader), "4: edge-");
  now_ += fleet::Fleet::kRememberedMicros;
  fleet_.List();
  EXPECT_EQ(Read(*reader), "4: forgets edge/i");
  service_.End();
  EXPECT_EQ(Read(*reader), "the control plane ends; watch again");
}

TEST_F(FleetServiceTest, ASlowReaderIsToldTheNewestOfEach) {
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + kPatience);
  const auto reader = stub_->WatchProxies(&context, {});
  EXPECT_EQ(Read(*reader), "0:");
  const uint64_t stream = fleet_.Join(ProxyOf("default/a", std::string(200, 'n')));
  constexpr uint64_t kReports = 20'000;
  fleet::Report report{.refused_reason = std::string(1000, 'x')};
  for (report.revision = 1; report.revision <= kReports; ++report.revision)
    fleet_.OnReport(stream, report);
  uint64_t messages = 0, running = 0;
  for (ListProxiesResponse response; running < kReports && reader->Read(&response); ++messages) {
    for (const portico::v1::Proxy& proxy : response.proxies())
      running = proxy.running_revision();
  }
  EXPECT_EQ(running, kReports);
  EXPECT_LT(messages, kReports);
  context.TryCancel();
  reader->Finish();
}

TEST_F(FleetServiceTest, WatchesHavePlaces) {
  FleetService small(fleet_, gatekeeper_, 4);
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&small);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const auto stub = portico::v1::FleetService::NewStub(
      grpc::CreateChannel(Concat("127.0.0.1:", port), grpc::InsecureChannelCredentials()));
  const auto watch = [&stub] {
    grpc::ClientContext context;
    context.set_deadline(std::chrono::system_clock::now() + kPatience);
    return Read(*stub->WatchProxies(&context, {}));
  };
  const std::string refusal = "at most 4 watches at a time, 1 of one caller; try again later";
  {
    grpc::ClientContext context;
    const auto first = stub->WatchProxies(&context, {});
    EXPECT_EQ(Read(*first), "0:");
    EXPECT_EQ(watch(), refusal);
  }
  std::string told = refusal;  // a place is free once gRPC is done with its call
  for (const auto end = std::chrono::steady_clock::now() + kPatience;
       told == refusal && std::chrono::steady_clock::now() < end;) {
    told = watch();
  }
  EXPECT_EQ(told, "0:");
  small.End();
  server->Shutdown();
}

TEST_F(FleetServiceTest, AWatchMayBeRefusedAndMayLeave) {
  grpc::ClientContext wrong;
  ListProxiesRequest request;
  request.add_gateways("");
  EXPECT_NE(Read(*stub_->WatchProxies(&wrong, request)).find("NAMESPACE/NAME"), std::string::npos);
  for (int i = 0; i < 20; ++i) {
    grpc::ClientContext context;
    const auto reader = stub_->WatchProxies(&context, {});
    fleet_.Join(ProxyOf("default/a", Concat("edge", i)));
    context.TryCancel();
    reader->Finish();
  }
  service_.End();
  grpc::ClientContext late;
  EXPECT_EQ(Read(*stub_->WatchProxies(&late, {})), "the control plane ends; watch again");
}

}  // namespace
}  // namespace portico::north
